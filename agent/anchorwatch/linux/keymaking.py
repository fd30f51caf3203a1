"""Makes a key and a request by it: in a child process, or by the operator's and openssl's programs;
has a token's key destroyed.

Rule: blocking, so it runs in an errand; a key goes through pipes and memory alone. A key that is in
a token is never ours to read: openssl signs its request, by the token's provider.

Source: RFC 2986; openssl-req(1).
"""

import os

from ..errors import ConfigError
from ..performers.slotkeys import NoKey
from ..wire.encoding import base64_text
from . import keyschild, programs
from .keyblocks import TOKEN_HINT, in_token, private_block
from .slots import in_memory

_KEY_AT_MOST = 16_384
_CSR_AT_MOST = 16_384
_COMMAND_S = 120.0
_WIPE_S = 45.0  # the core waits a minute
_OPENSSL_S = 60.0
_COMMAND, _KEY_COMMAND = "command", "[identity] key_command"
# A configuration of its own: the one that OPENSSL_CONF names need not have a part for requests.
_CONFIG = b"[req]\ndistinguished_name = dn\n[dn]\n"


def new(slot: str, kind: str, command: tuple[str, ...]) -> str:
    """A key, or the reference to one in a token, as PEM. Raises NoKey."""
    if not command:
        try:
            return str(keyschild.ask("new", "slot " + slot, kind=kind)["key"])
        except ConfigError as error:
            raise NoKey("no-key", error.what, error.remedy) from error
    done = _by_command(command, b"", dict(os.environ, AW_KEY=kind, AW_SLOT=slot), _COMMAND_S)
    try:
        _, block = private_block(done.out, _KEY_COMMAND)
        return block.decode("ascii") + "\n"
    except (ConfigError, UnicodeDecodeError) as error:
        what = error.what if isinstance(error, ConfigError) else "not ASCII"
        raise NoKey(_COMMAND, "%s: %s" % (command[0], what),
                        "have it write the PEM of the key, or of its reference") from error


def destroy(slot: str, reference: str, command: tuple[str, ...]) -> None:
    """Have the key that this PEM refers to destroyed in its token. Raises NoKey."""
    _by_command(command, reference.encode(), dict(os.environ, AW_SLOT=slot), _WIPE_S)


def _by_command(command: tuple[str, ...], data: bytes, environment: dict,
                for_s: float) -> programs.Done:
    try:
        done = programs.run(list(command), data, environment, for_s, _KEY_AT_MOST)
    except programs.ProgramError as error:
        raise NoKey(_COMMAND, "%s: %s" % (error.reason, error.value), error.remedy) from error
    if done.code:
        raise NoKey(_COMMAND, "%s ended with %d: %s" % (command[0], done.code, done.said),
                        "run it by hand as the agent's user")
    return done


def request(key: str, cn: str) -> str:
    """PKCS#10 in base64, for `cn` alone. Raises NoKey."""
    try:
        if in_token(key.encode(), "slot"):
            return base64_text(_by_openssl(key, cn))
        return str(keyschild.ask("csr", "slot", key=key, cn=cn)["csr"])
    except ConfigError as error:
        raise NoKey("no-key", error.what, error.remedy) from error


def _by_openssl(key: str, cn: str) -> bytes:
    """DER. The files are in memory; openssl inherits them, and the agent's OPENSSL_CONF."""
    files = in_memory(_CONFIG, key.encode())
    try:
        words = ["openssl", "req", "-new", "-batch", "-config", files[0], "-key", files[1],
                 "-subj", "/CN=" + _escaped(cn), "-sha256", "-outform", "DER"]
        done = programs.run(words, b"", dict(os.environ), _OPENSSL_S, _CSR_AT_MOST,
                            files.descriptors)
    except programs.ProgramError as error:
        raise NoKey(_COMMAND, "openssl: %s: %s" % (error.reason, error.value),
                        "install the package openssl") from error
    finally:
        files.close()
    if done.code or not done.out:
        said = done.said.rpartition(":error:")[2]
        raise NoKey(_COMMAND, "openssl req: " + said, TOKEN_HINT)
    return done.out


def _escaped(cn: str) -> str:
    return "".join(["\\" + c if c in "/+\\" else c for c in cn])
