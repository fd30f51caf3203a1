"""`identity`: what the device's certificates are, a roll by hand, the request, a chain by hand.

Rule: the agent decides; where none runs, `show` reads the files and the rest says so.
"""

import json
import sys
import time
from binascii import b2a_base64

from ..config import Config
from ..core.slots import BREACH, EXPIRY
from ..errors import ConfigError
from ..pki import pem
from ..wire.encoding import base64_bytes
from . import identitypage
from .caller import Absent
from .credential import Credential, absent
from .slots import pem_of
from .toml import load
from .trustcommands import of_agent, read_file, say

_FILE_AT_MOST = 262_144
_COUNT_AT_MOST = 32


def add(commands, make) -> None:
    """Put them beside the others; make(commands, name, function, words)."""
    own = commands.add_parser("identity", help="the device's certificates").add_subparsers(
        metavar="COMMAND", required=True)
    shown = make(own, "show", show, "every credential, its dates, and what renews when", True)
    shown.add_argument("--state", metavar="DIR", help="the files alone: no configuration, no agent")
    make(own, "roll", roll, "have a new certificate issued now").add_argument(
        "--breach", action="store_true", help="the key is known to others: it is never shown again "
        "once the new certificate serves, and it is wiped")
    make(own, "csr", csr, "print the request that waits for its certificate")
    make(own, "install", install, "give the certificate for it").add_argument(
        "file", metavar="FILE", help="PEM: the certificate, then its issuers")


def show(arguments) -> int:
    """Print every credential."""
    tree = _shown(arguments)
    if arguments.json:
        return say(json.dumps(tree, indent=1, sort_keys=True))
    return say(*identitypage.lines(tree, int(time.time())))


def roll(arguments) -> int:
    """Ask for a new certificate."""
    answer = of_agent(arguments, "roll", {"reason": BREACH if arguments.breach else EXPIRY})
    return say("rolling: see `anchorwatch identity show`" if answer["rolling"]
               else "nothing to do: " + answer["why"])


def csr(arguments) -> int:
    """Print the pending request, PEM."""
    der = base64_bytes(of_agent(arguments, "identity_csr")["csr"])
    return say(pem_of([der], "CERTIFICATE REQUEST").decode().rstrip())


def install(arguments) -> int:
    """Hand a chain to the agent, which tries it as it tries every other."""
    data = read_file(arguments.file, _FILE_AT_MOST + 1, "name a PEM file of certificates")
    chain = pem.certificates(data, _COUNT_AT_MOST, _FILE_AT_MOST)
    given = {"chain": [b2a_base64(der, newline=False).decode() for der in chain]}
    of_agent(arguments, "identity_install", given)
    return say("taken: it is checked against the request, then tried; see `anchorwatch identity "
               "show`")


def _shown(arguments) -> dict:
    if arguments.state is None:
        try:
            return of_agent(arguments, "identity_show")
        except Absent:
            pass
    from .offline import Offline, of_state  # the core, not needed to ask an agent

    config, who = None, None
    if arguments.state is None:
        config = Config(*load(arguments.config))
        who = _configured(config.credential)
        print("no agent runs: read from the files of " + config.state.dir, file=sys.stderr)
    with Offline(config or of_state(arguments.state), _warn, False, who) as alone:
        return alone.ask("identity_show")


def _configured(named) -> dict:
    try:
        return Credential(named.kind, named.cert_file, named.key_file).read()
    except ConfigError as error:
        _warn(error.what, error.value, error.remedy)
        return absent()


def _warn(what: str, value: str, remedy: str) -> None:
    print("anchorwatch: %s: %s; %s" % (what, value, remedy), file=sys.stderr)
