"""The control socket: who is connected, and lines of JSON to and from them.

Rule: nothing here blocks and nothing here knows a command; a client that does not read is dropped.

Source: contract section 4.
"""

import os
import socket
import struct
from binascii import b2a_base64
from selectors import EVENT_READ, EVENT_WRITE

from ..errors import ConfigError, MalformedMessage, plain
from ..wire.jsonread import parse_object

READ, SEND, ADMIN = "read", "send", "admin"
LINE_AT_MOST = 65_536
CLIENTS_AT_MOST = 16
_UNSENT_AT_MOST = 1_048_576
_PATH_AT_MOST = 107
_PEER = struct.Struct("iII")
_SO_PEERGROUPS = 59
_BUSY = {"ok": False, "code": 3, "what": "too many clients", "value": str(CLIENTS_AT_MOST),
         "remedy": "end one, then repeat"}


class Client:
    """One connection. `may` is its role; `data` belongs to the commands."""

    def __init__(self, number: int, sock: socket.socket, may: str) -> None:
        self.number, self.sock, self.may = number, sock, may
        self.data: dict = {}
        self.unread = b""
        self.unsent = b""
        self.gone = False


class Control:
    """Listens on `path`.

    roles      called with (uid, gids), gives a role
    on_line    called with (client, request): a whole JSON object
    on_gone    called with (client) when it has left
    """

    def __init__(self, selector, path: str, roles, on_line, on_gone) -> None:
        self._selector, self._roles = selector, roles
        self._on_line, self._on_gone = on_line, on_gone
        self.clients: list[Client] = []
        self._count = 0
        self._path = path
        self._listener = _listen(path)
        selector.register(self._listener, EVENT_READ, self._accept)

    def send(self, client: Client, tree: dict) -> None:
        """Queue one line; a client with too much unread is dropped."""
        if client.gone:
            return
        client.unsent += line(tree)
        self._write(client)
        if len(client.unsent) > _UNSENT_AT_MOST:
            self._drop(client)

    def close(self) -> None:
        """Stop listening, say goodbye to nobody."""
        for client in list(self.clients):
            self._drop(client)
        self._selector.unregister(self._listener)
        self._listener.close()
        try:
            os.unlink(self._path)
        except OSError:
            pass

    def _accept(self, mask: int) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        if len(self.clients) >= CLIENTS_AT_MOST:
            sock.send(line(dict(_BUSY, id=None)))
            sock.close()
            return
        self._count += 1
        client = Client(self._count, sock, self._roles(*_peer(sock)))
        self.clients.append(client)
        self._selector.register(sock, EVENT_READ, lambda mask: self._ready(client, mask))

    def _ready(self, client: Client, mask: int) -> None:
        if mask & EVENT_WRITE and not client.gone:
            self._write(client)
        if mask & EVENT_READ and not client.gone:
            self._read(client)

    def _read(self, client: Client) -> None:
        try:
            data = client.sock.recv(LINE_AT_MOST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        *lines, client.unread = (client.unread + data).split(b"\n")
        for text in lines:
            self._take(client, text)
        if len(client.unread) > LINE_AT_MOST:
            self._take(client, client.unread)
            self._drop(client)

    def _take(self, client: Client, text: bytes) -> None:
        if client.gone or not text.strip():
            return
        try:
            request = parse_object(text, LINE_AT_MOST)
        except MalformedMessage as error:
            remedy = "send one JSON object a line"
            self.send(client, refusal(None, 2, error.reason, error.value, remedy))
            return
        self._on_line(client, request)

    def _write(self, client: Client) -> None:
        try:
            while client.unsent:
                client.unsent = client.unsent[client.sock.send(client.unsent):]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)
            return
        wanted = EVENT_READ | (EVENT_WRITE if client.unsent else 0)
        key = self._selector.get_key(client.sock)
        if key.events != wanted:
            self._selector.modify(client.sock, wanted, key.data)

    def _drop(self, client: Client) -> None:
        if client.gone:
            return
        client.gone = True
        self.clients.remove(client)
        self._selector.unregister(client.sock)
        client.sock.close()
        self._on_gone(client)


def refusal(request_id: object, code: int, what: str, value: object = "", remedy: str = "") -> dict:
    """The line that says no; code is the command's exit code."""
    return {"id": request_id, "ok": False, "code": code, "what": what, "value": plain(value),
            "remedy": remedy}


def line(tree: dict) -> bytes:
    """One line of JSON; bytes in it become base64."""
    import json  # nobody may ever ask: the start does without it

    return json.dumps(tree, default=_base64, separators=(",", ":")).encode() + b"\n"


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return b2a_base64(value, newline=False).decode()
    raise TypeError("JSON cannot hold %s" % type(value).__name__)


def role_of(group: int | None):
    """The three roles: admin for the owner and root, send for the group, read for everybody."""
    owners = (0, os.geteuid())

    def role(uid: int, gids: list[int]) -> str:
        if uid in owners:
            return ADMIN
        return SEND if group is not None and group in gids else READ

    return role


def group_id(name: str) -> int | None:
    """The number of the group whose members may send; None for no name."""
    if not name:
        return None
    import grp  # few name a group

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        remedy = "make the group, or leave the setting empty"
        raise ConfigError("control.group is unknown", name, remedy) from error


def _peer(sock: socket.socket) -> tuple[int, list[int]]:
    """User and groups of the process at the other end, as the kernel says."""
    _, uid, gid = _PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    try:
        more = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4 * 256)
    except OSError:
        more = b""
    return uid, [gid, *[group for group, in struct.iter_unpack("I", more)]]


def reach(path: str) -> tuple[str, int | None]:
    """(address, descriptor to close): a long path is reached through its folder's descriptor."""
    if len(os.fsencode(path)) <= _PATH_AT_MOST:
        return path, None
    folder, name = os.path.split(path)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    return "/proc/self/fd/%d/%s" % (descriptor, name), descriptor


def _listen(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    descriptor = None
    try:
        address, descriptor = reach(path)
        _clear(address, path)
        listener.bind(address)
        os.chmod(address, 0o666)
        listener.listen(CLIENTS_AT_MOST)
        listener.setblocking(False)
        return listener
    except OSError as error:
        listener.close()
        raise ConfigError("control.socket cannot be made", "%s (%s)" % (path, error.strerror),
                          "make its folder, or correct [control] socket") from error
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _clear(address: str, path: str) -> None:
    """Remove what an agent left that was killed; a living one keeps its socket."""
    if not os.path.lexists(address):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        try:
            caller.connect(address)
        except ConnectionRefusedError:
            os.unlink(address)
            return
    raise ConfigError("another agent listens on control.socket", path,
                      "stop it, or name another socket")
