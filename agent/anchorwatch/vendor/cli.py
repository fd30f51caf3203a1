"""anchorwatch-bundle: arguments to one call to an exit code.

Rule: it translates, nothing else. Exit codes: 0 done, 1 refused, 2 wrong usage.
"""

import argparse
import sys
import time

from ..errors import AgentError, ConfigError
from ..pki import bundle
from . import commands, editing, signing
from .papers import ROLES

REFUSED, WRONG = 1, 2


def main(argv: list[str] | None = None, utc_s=time.time) -> int:
    """Perform one command; the exit code."""
    arguments = parser().parse_args(sys.argv[1:] if argv is None else argv)
    arguments.now_s = int(utc_s())
    try:
        return arguments.command(arguments)
    except AgentError as error:
        print("anchorwatch-bundle: %s" % error, file=sys.stderr)
        return WRONG if isinstance(error, ConfigError) else REFUSED


def parser() -> argparse.ArgumentParser:
    """Every command and its arguments."""
    top = argparse.ArgumentParser(prog="anchorwatch-bundle",
                                  description="Makes, signs and publishes trust bundles.")
    made = top.add_subparsers(metavar="COMMAND", required=True)
    _add_keys(made)
    _add_roots(made)
    _add_words(made)
    _add_releases(made)
    return top


def _add(made, name: str, command, words: str, **defaults):
    one = made.add_parser(name, help=words, description=words)
    one.set_defaults(command=command, **defaults)
    one.add_argument("dir", metavar="DIR", help="the workspace")
    return one


def number(text: str) -> int:
    """A whole number from 1; argparse says `invalid number value` for all else."""
    found = int(text)
    if found < 1:
        raise ValueError
    return found


def _add_secrets(one) -> None:
    one.add_argument("--passphrase-fd", type=int, metavar="N",
                     help="read passphrases and PINs from this descriptor, one line each")


def _add_making(one) -> None:
    one.add_argument("--keys", metavar="FOLDER", help="where new private keys go")
    one.add_argument("--passphrase", action="store_true", help="ask for a passphrase for each")
    _add_secrets(one)


def _add_keys(made) -> None:
    one = _add(made, "init", signing.init, "make a workspace, and keys that are not named")
    for name, count in (("root-keys", 3), ("threshold", 2), ("targets-keys", 2),
                        ("targets-threshold", 2), ("online-keys", 1)):
        one.add_argument("--" + name, type=int, default=count, metavar="N",
                         help="default: %(default)s")
    one.add_argument("--key", action="append", default=[], metavar="ROLE=FILE",
                     help="a public key in PEM: root=, targets= or online=")
    _add_making(one)
    one = _add(made, "rotate", signing.rotate, "other keys, or another threshold: a next root")
    one.add_argument("holder", choices=sorted(signing.HOLDERS))
    one.add_argument("--add", action="append", default=[], metavar="FILE", help="a public key")
    one.add_argument("--remove", action="append", default=[], metavar="FILE|ID",
                     help="a public key, or the first digits of its id")
    one.add_argument("--make", type=number, default=0, metavar="N", help="new keys")
    one.add_argument("--threshold", type=number, metavar="T")
    _add_making(one)
    one = _add(made, "sign", signing.sign, "sign what waits")
    one.add_argument("--key", action="append", required=True, metavar="FILE|URI")
    one.add_argument("--public", metavar="FILE", help="the public half of the key behind a URI")
    _add_secrets(one)
    one = _add(made, "renew", signing.renew, "the same content with a later expiry")
    one.add_argument("role", choices=ROLES)
    one.add_argument("--days", type=number, metavar="N")


def _add_roots(made) -> None:
    one = _add(made, "add", editing.add, "put new roots into the bundle")
    one.add_argument("file", nargs="+", help="PEM, one root in each")
    one.add_argument("--state", choices=("staged", "active"), default="staged")
    one.add_argument("--scope", action="append", choices=bundle.SCOPES,
                     help="default: hub and dps")
    one.add_argument("--cloud", action="append", choices=bundle.CLOUDS, help="default: global")
    one.add_argument("--dns", action="append", metavar="SUFFIX", help="only for such names")
    one.add_argument("--from", dest="from_", metavar="DATE", help="not offered before")
    for state, words in (("stage", "staged"), ("activate", "active"), ("sunset", "sunset"),
                         ("retire", "retired")):
        one = _add(made, state, editing.set_state, "move a root to " + words, state=words)
        one.add_argument("root", metavar="PEM|SHA256")
        if state == "activate":
            one.add_argument("--from", dest="from_", metavar="DATE", help="not offered before")
        elif state == "sunset":
            one.add_argument("--after", metavar="DATE", help="refuse leaves issued after it")

    one = _add(made, "forget", editing.forget, "take a retired root out of the bundle")
    one.add_argument("root", metavar="PEM|SHA256")


def _add_words(made) -> None:
    one = _add(made, "distrust", editing.distrust, "stop trusting a root")
    one.add_argument("root", metavar="PEM|SHA256")
    one.add_argument("--key", action="store_true", help="the SHA-256 is that of the key")
    one.add_argument("--kind", choices=bundle.KINDS, default="hard")
    one.add_argument("--after", metavar="DATE", help="sunset: leaves issued after it")
    one.add_argument("--hold-s", type=int, metavar="N", help="hard: 0 for a known exploitation")
    one.add_argument("--reason", metavar="TEXT")
    one.add_argument("--withdraw", action="store_true", help="take it back")
    one = _add(made, "announce", editing.announce, "which root an endpoint will present")
    one.add_argument("--endpoint", required=True, choices=bundle.SCOPES)
    one.add_argument("--root", metavar="PEM|SHA256")
    one.add_argument("--date", metavar="DATE")
    one.add_argument("--withdraw", action="store_true", help="take it back")
    one = _add(made, "policy", editing.policy, "how long devices wait for evidence")
    one.add_argument("number", nargs="+", metavar="NAME=N", help=", ".join(sorted(bundle.POLICY)))
    one = _add(made, "reset-floor", editing.reset_floor, "lower devices' floor of time")
    one.add_argument("date", metavar="DATE")


def _add_releases(made) -> None:
    one = _add(made, "publish", commands.publish, "write the folder for a file server")
    one.add_argument("out", metavar="OUT")
    one = _add(made, "verify", commands.verify, "what a device out of its box would do")
    one.add_argument("--root", metavar="FILE", help="its vendor.root.json")
    one.add_argument("--cloud", choices=bundle.CLOUDS, default="global")
    one = _add(made, "rehearse", commands.rehearse, "what a device with a state would do")
    one.add_argument("--from", dest="from_", required=True, metavar="STATE",
                     help="its state folder, or a folder published earlier")
    one.add_argument("--cloud", choices=bundle.CLOUDS, default="global")
    one.add_argument("--layer", choices=("vendor", "site"), default="vendor",
                     help="whose keys the workspace has; default: %(default)s")
    one = _add(made, "factory", commands.make_factory, "the factory layer of a package")
    one.add_argument("out", metavar="OUT")
    _add(made, "show", commands.show, "roots, documents, signatures")


if __name__ == "__main__":
    sys.exit(main())
