"""Every command but the start of `run`: its arguments, one call, what is printed.

Rule: it translates, nothing else; a function returns the exit code or raises an AgentError.
"""

import argparse
import json
import sys
from binascii import b2a_base64

from ..config import Config
from ..errors import ConfigError
from ..settings import ENDPOINTS
from ..version import __version__
from . import identitycommands, launch, page, trustcommands
from .caller import Caller
from .toml import load

DONE, REFUSED = 0, 1
_STDIN_AT_MOST = 262_145
_SERVER: tuple[tuple[str, dict], ...] = (
    ("--endpoint", {"choices": ENDPOINTS, "help": "whose TLS settings; default: hub"}),
    ("--host", {"metavar": "NAME", "help": "the name that its certificate must carry"}),
    ("--address", {"metavar": "ADDR:PORT", "help": "default: by the name, the configured port"}),
    ("--roots", {"metavar": "DIR", "help": "these PEM files are the only roots"}),
    ("--suites", {"choices": ("any", "rsa", "ecdsa"), "help": "what is offered"}),
    ("--max-fragment", {"metavar": "SIZE[:WISH]", "help": "512, 1024, 2048 or 4096; prefer, "
                        "require"}),
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Every command and its arguments."""
    top = argparse.ArgumentParser(prog="anchorwatch", description="Keeps a device's hub session.")
    top.add_argument("--version", action="version", version="anchorwatch " + __version__)
    top.add_argument("--config", metavar="PATH", default=launch.CONFIG, help="default: %(default)s")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "run", lambda given: launch.run(given.config), "keep watch until asked to stop")
    _add(commands, "status", status, "what holds now", json=True)
    _add_check(commands)
    _add(commands, "reverify", reverify, "look at the hub's certificate now").add_argument(
        "--swap", action="store_true", help="move the session whatever is found")
    _add(commands, "reprovision", reprovision, "ask DPS for the assignment now")
    _add(commands, "told", told, "say what a neighbour program met").add_argument(
        "word", choices=("unauthorized", "connected"))
    _add(commands, "logs", logs, "the agent's last lines").add_argument(
        "--most", type=int, default=100, metavar="N", help="up to 500; default: %(default)s")
    _add_send(commands)
    trustcommands.add(commands, _add)
    identitycommands.add(commands, _add)
    return top


def _add(commands, name: str, command, words: str, json: bool = False):
    made = commands.add_parser(name, help=words, description=words)
    made.set_defaults(command=command)
    if json:
        made.add_argument("--json", action="store_true", help="as one JSON object")
    return made


def _add_check(commands) -> None:
    made = _add(commands, "check", check, "try files and endpoints once, from here", json=True)
    made.add_argument("--rehearse", metavar="PROFILE|FILE", help="no network: would it be "
                      "accepted? g2-rsa-long, g3-ecc, announced or another; or PEM")
    group = made.add_argument_group("one server, which needs no configuration")
    for option, words in _SERVER:
        group.add_argument(option, **words)


def _add_send(commands) -> None:
    made = _add(commands, "send", send, "queue one telemetry message")
    made.add_argument("--property", action="append", default=[], metavar="K=V")
    made.add_argument("--mid", default="", help="message id; default: a new one")
    made.add_argument("text", help="the payload; - reads standard input")


# Commands.

def status(arguments) -> int:
    """Print the status."""
    tree = _ask(arguments, "status")
    _show(json.dumps(tree, indent=1, sort_keys=True) if arguments.json
          else "\n".join(page.status(tree)))
    return DONE


def check(arguments) -> int:
    """Try everything from here, or rehearse what may come; 0 when all of it holds."""
    named = [word for word, _ in _SERVER if getattr(arguments, word[2:].replace("-", "_"))]
    # The TLS side is not needed by any other command.
    if arguments.rehearse:
        from .findings import rehearsed_code as code_of
        from .rehearsal import rehearsed

        if named:
            raise ConfigError("--rehearse asks no server", named[0], "leave one of them out")
        rows = rehearsed(arguments.config, arguments.rehearse)
    else:
        from .anyserver import checked as checked_server
        from .check import checked
        from .findings import exit_code as code_of

        rows = checked_server(arguments) if named else checked(arguments.config)
    _show(json.dumps(rows, indent=1) if arguments.json else "\n".join(page.checks(rows)))
    return code_of(rows)


def reverify(arguments) -> int:
    """Ask for a second look."""
    _show(_ask(arguments, "reverify", {"swap": arguments.swap})["looking"])
    return DONE


def reprovision(arguments) -> int:
    """Ask for a registration."""
    _show("registering " + _ask(arguments, "reprovision")["registering"])
    return DONE


def told(arguments) -> int:
    """Pass on what a neighbour met."""
    answer = _ask(arguments, "told", {"word": arguments.word})
    _show("taken" if answer["taken"] else "not needed: " + answer["state"])
    return DONE


def send(arguments) -> int:
    """Queue one message; its id is printed."""
    payload = arguments.text.encode()
    if arguments.text == "-":
        payload = sys.stdin.buffer.read(_STDIN_AT_MOST)
    given = {"payload": b2a_base64(payload, newline=False).decode(), "mid": arguments.mid,
             "properties": dict(_property(text) for text in arguments.property)}
    _show(_ask(arguments, "send", given)["mid"])
    return DONE


def logs(arguments) -> int:
    """Print the agent's last lines."""
    for row in _ask(arguments, "logs", {"most": arguments.most})["lines"]:
        _show("%10.3f  %s" % (row["t_ms"] / 1000, row["line"]))
    return DONE


def _ask(arguments, do: str, given: dict | None = None) -> dict:
    tree, folder = load(arguments.config)
    with Caller(Config(tree, folder).control.socket) as caller:
        return caller.ask(do, given)


def _property(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ConfigError("not a property", text, "write --property NAME=VALUE")
    return name, value


def _show(text: str) -> None:
    print(text)
