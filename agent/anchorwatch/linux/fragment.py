"""Maximum fragment length on CPython: a call that `ssl` does not offer, made by ctypes.

Rule: nothing is written through a pointer before the self-check has proven it, and no process tries
this before a child of its own did (shortrecords.py). Only the library that `_ssl` itself is bound
to is asked; one found by its name might be another, with other structures.

Source: RFC 6066 section 4; CPython, Modules/_ssl.c, where the pointer to OpenSSL's object is the
first field behind the object's head; OpenSSL, SSL_CTX_set_tlsext_max_fragment_length(3).
"""

import _ssl

from .. import runtime
from ..errors import AgentError
from ..wire.hello import FRAGMENT_SIZES
from ..wire.jsonwrite import write

MAPS = "/proc/self/maps"
_CODES = {size: code for code, size in FRAGMENT_SIZES.items()}
_TLS_1_2, _TLS_1_3 = 0x0303, 0x0304
_GET_MIN, _GET_MAX = 130, 131
_VERIFY = {_ssl.CERT_NONE: 0, _ssl.CERT_OPTIONAL: 1, _ssl.CERT_REQUIRED: 3}
# (by the pointer, by Python) where no bound was set: 0 is MINIMUM_SUPPORTED, which is -2, or
# MAXIMUM_SUPPORTED, -1.
_UNSET = ((0, -2), (0, -1))
# No ticket, the server's order of suites, no renegotiation.
_BITS = (0x4000, 0x400000, 0x40000000)
_ALL_BITS = 0xFFFFFFFFFFFFFFFF
_POINTER = 8
# So much behind a pointer is surely the object's own; its calls read no further than that.
_ROOM = 256
_ID_AT_MOST = 32


class Unavailable(AgentError):
    """The length cannot be asked for here; `what` says why."""


class Libssl:
    """From a context or a session of `ssl` to OpenSSL's own; Unavailable when that is not certain.

    head  where the pointer lies in the object; None: behind what every object begins with
    """

    def __init__(self, head: int | None = None, maps: str = MAPS) -> None:
        if runtime() != "cpython":
            raise Unavailable("this is not CPython", runtime())
        self._head, self._maps = object.__basicsize__ if head is None else head, maps
        self._c, self.library = _library()
        self._prove()

    def ask(self, context, size: int) -> None:
        """Let handshakes of this context ask for records of `size` bytes."""
        pointer = self._pointer(context, _ssl._SSLContext)
        self._compare(pointer, context)
        if self.library.SSL_CTX_set_tlsext_max_fragment_length(pointer, _CODES[size]) != 1:
            raise Unavailable("OpenSSL refuses the length", size)

    def negotiated(self, session) -> int:
        """The bytes that both sides agreed to in a session; 0: the server ignored the wish."""
        pointer = self._pointer(session, _ssl.SSLSession)
        if self._of_session(pointer) != (session.time, session.timeout, session.id):
            raise Unavailable("the session is not where CPython keeps it")
        return FRAGMENT_SIZES.get(self.library.SSL_SESSION_get_max_fragment_length(pointer), 0)

    def _prove(self) -> None:
        """On a context that is thrown away: what Python writes must be what the pointer shows."""
        context = _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT)
        pointer = self._pointer(context, _ssl._SSLContext)
        for step in _steps():
            for name, value in step:
                setattr(context, name, value)
            self._compare(pointer, context)

    def _compare(self, pointer: int, context) -> None:
        for name, there, here in self._shown(pointer, context):
            if there != here and (there, here) not in _UNSET:
                raise Unavailable("the context is not where CPython keeps it", name)

    def _shown(self, pointer: int, context):
        """(what, by the pointer, by Python); what differs is the last that is read."""
        library = self.library
        yield "options", library.SSL_CTX_get_options(pointer), int(context.options) & _ALL_BITS
        mode = library.SSL_CTX_get_verify_mode(pointer) & 3
        yield "verify mode", mode, _VERIFY[int(context.verify_mode)]
        lowest = library.SSL_CTX_ctrl(pointer, _GET_MIN, 0, None)
        yield "lowest version", lowest, int(context.minimum_version)
        highest = library.SSL_CTX_ctrl(pointer, _GET_MAX, 0, None)
        yield "highest version", highest, int(context.maximum_version)

    def _of_session(self, pointer: int) -> tuple[int, int, bytes]:
        library, length = self.library, self._c.c_uint(0)
        held = library.SSL_SESSION_get_id(pointer, self._c.byref(length))
        if length.value > _ID_AT_MOST:
            raise Unavailable("the session is not where CPython keeps it", "id")
        return (library.SSL_SESSION_get_time(pointer), library.SSL_SESSION_get_timeout(pointer),
                self._c.string_at(held, length.value))

    def _pointer(self, holder, kind: type) -> int:
        """What lies at the place, once it can be nothing but a pointer to data of this process."""
        if not object.__basicsize__ <= self._head <= kind.__basicsize__ - _POINTER:
            raise Unavailable("the pointer would lie outside of the object", self._head)
        pointer = self._c.c_void_p.from_address(id(holder) + self._head).value
        if not pointer or pointer % _POINTER or not _writable(pointer, self._maps):
            raise Unavailable("what lies in the object is no pointer to data", self._head)
        return pointer


def _steps() -> tuple:
    """What is written to the throw-away context, one after the other: (attribute, value) pairs."""
    base = _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT).options
    bits = [(("options", value),) for bit in _BITS for value in (
        base & ~bit, base | bit, base & ~bit)]
    return (
        (("check_hostname", False), ("verify_mode", _ssl.CERT_NONE)),
        *bits,
        *[(("minimum_version", version),) for version in (_TLS_1_2, _TLS_1_3, _TLS_1_2)],
        *[(("maximum_version", version),) for version in (_TLS_1_2, _TLS_1_3, _TLS_1_2)],
        (("verify_mode", _ssl.CERT_REQUIRED),),
        (("verify_mode", _ssl.CERT_OPTIONAL),),
    )


def _library():
    """(ctypes, the OpenSSL that `_ssl` uses). A symbol is looked for in `_ssl` and in what it is
    linked with: an OpenSSL inside of it that shows no symbols is found out by that."""
    try:
        import ctypes  # a quarter of a megabyte that only this wish pays for
    except Exception as error:
        raise Unavailable("ctypes cannot be loaded") from error
    file = getattr(_ssl, "__file__", None)
    if file is None:
        raise Unavailable("OpenSSL is a part of the interpreter")
    try:
        library = ctypes.CDLL(file)
        for name, result, *arguments in _symbols(ctypes):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise Unavailable("OpenSSL is a part of Python's _ssl and cannot be called") from error
    if library.OpenSSL_version_num() != _ssl.OPENSSL_VERSION_NUMBER:
        raise Unavailable("another OpenSSL answers than the one that Python uses")
    return ctypes, library


def _symbols(c) -> tuple:
    """(name, result, arguments ...) of every function that is called."""
    pointer, count, whole = c.c_void_p, c.c_long, c.c_int
    return (
        ("OpenSSL_version_num", c.c_ulong),
        ("SSL_CTX_get_options", c.c_uint64, pointer),
        ("SSL_CTX_get_verify_mode", whole, pointer),
        ("SSL_CTX_ctrl", count, pointer, whole, count, pointer),
        ("SSL_CTX_set_tlsext_max_fragment_length", whole, pointer, c.c_uint8),
        ("SSL_SESSION_get_max_fragment_length", c.c_uint8, pointer),
        ("SSL_SESSION_get_time", count, pointer),
        ("SSL_SESSION_get_timeout", count, pointer),
        ("SSL_SESSION_get_id", pointer, pointer, c.POINTER(c.c_uint)),
    )


def _writable(pointer: int, maps: str) -> bool:
    """Whether it points into memory of this process that may be read and written."""
    try:
        with open(maps, "rb") as file:
            for line in file:
                span, mode = line.split(b" ", 2)[:2]
                first, past = [int(end, 16) for end in span.split(b"-")]
                if first <= pointer < past:
                    return mode[:2] == b"rw" and pointer + _ROOM <= past
    except (OSError, ValueError) as error:
        raise Unavailable("procfs is not there to check a pointer by", maps) from error
    return False


def main() -> int:
    """In the child: the whole self-check, and every length on a context of its own. Prints
    {"reason": why it is unavailable, or ""}."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash is an answer, not a matter to keep
    reason = ""
    try:
        libssl = Libssl()
        for size in _CODES:
            libssl.ask(_ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT), size)
    except Unavailable as error:
        reason = str(error)
    print(write({"reason": reason}).decode())
    return 0
