"""`roots`, `init` and `clock`: asked of the agent, or done on the files where none runs.

Rule: an agent that runs is asked; the files are touched only where no agent holds them.
"""

import errno
import json
import os
import stat
import sys

from ..config import Config
from ..core.rules import SIGNED
from ..errors import AgentError, ConfigError, TrustError, plain
from ..pki.metadata import ROOT_AT_MOST
from ..pki.pem import SIZE_AT_MOST
from . import page
from .caller import WAIT_S, Absent, Caller, Refusal
from .orders import fingerprint
from .toml import load

DONE = 0
# A mirror may take two minutes, and another order may be before this one.
FETCH_WAIT_S = 300.0
_SCHEMES = ("http://", "https://")


def add(commands, make) -> None:
    """Put the commands of trust beside the others; make(commands, name, function, words)."""
    roots = commands.add_parser("roots", help="the trust layers").add_subparsers(
        metavar="COMMAND", required=True)
    rows = (
        _given(make(roots, "list", listing, "every anchor, its layer, where it is offered", True)),
        _given(make(roots, "explain", explain, "why an anchor is trusted or not"), "sha256"),
        _given(make(roots, "history", history, "what became of bundles and roots", True)),
        _given(make(roots, "add", add_root, "add a root to the site layer"), "file", dry=True),
        _given(make(roots, "distrust", distrust, "stop trusting a root"), "sha256", dry=True),
        _given(make(roots, "import", take, "take a signed bundle"), "place", dry=True, layer=True),
        _given(make(roots, "revert", take_back, "back to the anchors before the last bundle"),
               dry=True, layer=True),
    )
    rows[4].add_argument("--now", action="store_true", help="hold it for nobody (R5)")
    _given(make(commands, "init", init, "give a layer of signed bundles its root of trust"))
    _add_init(commands.choices["init"])
    clocks = _given(make(commands, "clock", clock, "what is known of the time", True))
    clocks.add_argument("what", nargs="?", choices=("reset",), help="the floor back to the build")


def _given(parser, word: str = "", dry: bool = False, layer: bool = False):
    parser.add_argument("--state", metavar="DIR", help="the files alone: no configuration, no "
                        "agent; the state's folder, made if it is missing")
    if word == "place":
        parser.add_argument(word, metavar="FOLDER|URL", help="a folder with the bundle, a mirror")
    elif word:
        parser.add_argument(word)
    if dry:
        parser.add_argument("--dry-run", action="store_true", help="say what would be, no more")
    if layer:
        parser.add_argument("--layer", choices=SIGNED, default=SIGNED[0],
                            help="default: %(default)s")
    return parser


def _add_init(parser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    for layer in SIGNED:
        which.add_argument("--%s-root" % layer, metavar="FILE",
                           help="the root.json of the %s layer" % layer)
    parser.add_argument("--sha256", metavar="H", required=True,
                        help="of the file, as its signers say it")


# Commands.

def listing(arguments) -> int:
    """Print every anchor."""
    return put(arguments, ask(arguments, "roots_list"), page.roots)


def explain(arguments) -> int:
    """Print the reasons."""
    return say(*ask(arguments, "roots_explain", {"sha256": arguments.sha256})["why"])


def history(arguments) -> int:
    """Print what became of bundles."""
    return put(arguments, ask(arguments, "roots_history"), page.history)


def add_root(arguments) -> int:
    """Offer a root to the site layer."""
    text = read_file(arguments.file, SIZE_AT_MOST + 1, "name a PEM file").decode("ascii", "replace")
    try:
        given = {"pem": text, "dry_run": arguments.dry_run}
        return say(*page.changed(ask(arguments, "roots_add", given)))
    except (Refusal, TrustError) as error:
        error.value = plain("%s (%s)" % (arguments.file, error.value)) if error.value else (
            plain(arguments.file))
        raise


def distrust(arguments) -> int:
    """Put a root on the site layer's list of distrusted ones."""
    given = {"sha256": arguments.sha256, "now": arguments.now, "dry_run": arguments.dry_run}
    return say(*page.changed(ask(arguments, "roots_distrust", given)))


def take(arguments) -> int:
    """Take a signed bundle from a folder or a mirror."""
    kind = "url" if arguments.place.startswith(_SCHEMES) else "path"
    place = arguments.place if kind == "url" else os.path.abspath(arguments.place)
    given = {kind: place, "layer": arguments.layer, "dry_run": arguments.dry_run}
    return say(*page.imported(ask(arguments, "roots_import", given, FETCH_WAIT_S)))


def take_back(arguments) -> int:
    """Back to the anchors before the last bundle."""
    given = {"layer": arguments.layer, "dry_run": arguments.dry_run}
    answer = ask(arguments, "roots_revert", given)
    what = "would be" if arguments.dry_run else "is"
    return say("version %d %s taken back" % (answer["version"], what))


def clock(arguments) -> int:
    """Print what is known of the time, or put the floor back."""
    if arguments.what:
        return say(*page.reset(ask(arguments, "clock_reset")))
    if arguments.state is None:
        try:
            return put(arguments, of_agent(arguments, "status")["clock"], page.clock)
        except Absent:
            pass
    with files(arguments, False) as alone:
        return put(arguments, alone.clock(), page.clock)


def init(arguments) -> int:
    """Give a layer of signed bundles its root of trust; only where no agent runs."""
    layer = next(name for name in SIGNED if getattr(arguments, name + "_root"))
    file = getattr(arguments, layer + "_root")
    sha256 = fingerprint(arguments.sha256)
    data = read_file(file, ROOT_AT_MOST + 1, "name a root.json")
    with files(arguments, True) as alone:
        answer = alone.root(layer, data, sha256)
    if not answer["changed"]:
        return say("nothing to do: it is so already")
    return say("the %s layer takes what root %d lets sign" % (layer, answer["version"]))


# Whom to ask.

def ask(arguments, do: str, given: dict | None = None, wait_s: float = WAIT_S) -> dict:
    """The agent's answer; where none runs, the core's on the files."""
    if arguments.state is None:
        try:
            return of_agent(arguments, do, given, wait_s)
        except Absent:
            pass
    from .offline import changes

    with files(arguments, changes(do, given or {})) as alone:
        return alone.ask(do, given)


def of_agent(arguments, do: str, given: dict | None = None, wait_s: float = WAIT_S) -> dict:
    with Caller(Config(*load(arguments.config)).control.socket, wait_s) as caller:
        return caller.ask(do, given)


def files(arguments, changes: bool):
    # The core, and what reads files and mirrors: not needed to ask an agent.
    from .offline import Offline, of_state

    if arguments.state is not None:
        return Offline(of_state(arguments.state), _warn, changes)
    config = Config(*load(arguments.config))
    print("no agent runs: done on the files of " + config.state.dir, file=sys.stderr)
    return Offline(config, _warn, changes)


def _warn(what: str, value: str, remedy: str) -> None:
    print("warning: %s" % AgentError(what, value, remedy), file=sys.stderr)


def read_file(path: str, at_most: int, remedy: str) -> bytes:
    """A regular file, by a link too; nobody waits for the writer of a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "not a file")
            return file.read(at_most)
    except OSError as error:
        raise ConfigError("file cannot be read", "%s (%s)" % (path, error.strerror),
                          remedy) from error


def put(arguments, tree: dict, lines) -> int:
    return say(json.dumps(tree, indent=1)) if arguments.json else say(*lines(tree))


def say(*lines: str) -> int:
    for line in lines:
        print(line)
    return DONE
