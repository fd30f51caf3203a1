"""limbo.py [FILE] [--json]: x509-limbo's server cases through the agent's own dial.

Each chain is presented by a server without a key (linux/keyless.py) to the Dialer that every
session uses: its context, its judgement, its anchors. The TLS library looks at the chain before the
key's signature, so what ends at the signature was accepted. A case takes part if it has a peer's
name and neither revocation lists nor a depth nor a time of its own. Exit 0 whenever it ran.

Source: x509-limbo's schema; the default FILE is ../shared/data/vectors/x509-limbo.json.
"""

import argparse
import binascii
import json
import pathlib
import sys
import time

from anchorwatch.core.actions import Dial
from anchorwatch.errors import AgentError, LinkError
from anchorwatch.linux import keyless
from anchorwatch.linux.dial import Dialer
from anchorwatch.pki.der import Certificate, anchor_entry

CLONE = pathlib.Path(__file__).parents[2]
FILE = CLONE.parent / "shared" / "data" / "vectors" / "x509-limbo.json"
PROFILE = {"suites": "any", "max_fragment": "off", "strict": True, "all_ecc": False,
           "check_time": True}  # fmt: skip
ACCEPTED = "ok"


class Way:
    """The Dialer's route to a server that has `chain` and no key."""

    def __init__(self, chain: list[bytes]) -> None:
        self._chain = chain
        self._far = []

    def places(self, proxy, host, port):
        """One place, which is nowhere."""
        return [("limbo", port)]

    def connect(self, proxy, address, port, patience):
        """The client's end."""
        near, far = keyless.server(self._chain, _kind(self._chain[0]))
        self._far.append(far)
        return near

    def close(self) -> None:
        """Let the servers go."""
        for far in self._far:
            far.close()


def takes_part(case: dict) -> bool:
    """A server's chain for a peer's name, judged now."""
    own = case["crls"] or case["max_chain_depth"] is not None or case["validation_time"]
    return case["validation_kind"] == "SERVER" and bool(case["expected_peer_name"]) and not own


def verdict(case: dict) -> str:
    """ACCEPTED, or the word by which a dial refuses."""
    presented = [case["peer_certificate"], *case["untrusted_intermediates"]]
    way = Way([_der(text) for text in presented])
    roots = dict(_root(text) for text in case["trusted_certs"] if _root(text))
    dialer = Dialer(None, roots.__getitem__, lambda slot: None)
    dialer.route = way
    host = case["expected_peer_name"]["value"]
    order = Dial("next", "hub", host, 8883, "mqtt", sorted(roots), {}, PROFILE, None,
                 int(time.time()), "", "own")  # fmt: skip
    try:
        dialer.open(order, None, dialer.patience())
    except LinkError as error:
        return ACCEPTED if error.value == keyless.ACCEPTED else error.verdict
    finally:
        way.close()
    raise AssertionError("nobody has the key of %s" % case["id"])


def _root(text: str) -> tuple[str, bytes] | None:
    """An anchor as a layer takes it; None for what no layer takes."""
    try:
        return anchor_entry(_der(text))["sha256"], _der(text)
    except AgentError:
        return None


def _der(text: str) -> bytes:
    return binascii.a2b_base64("".join(
        line for line in text.splitlines() if not line.startswith("-----")))  # fmt: skip


def _kind(leaf: bytes) -> str:
    try:
        return "rsa" if Certificate(leaf).rsa_bits() else "ec"
    except AgentError:
        return "ec"  # whatever it is, it is looked at before its key


def played(path: pathlib.Path) -> dict:
    """{"cases", "must_fail", "must_pass", "wrong_accepts", "wrong_rejects", "words"} of a file;
    the last is {id: verdict} of all that took part."""
    with open(path, encoding="utf-8") as file:
        cases = [case for case in json.load(file)["testcases"] if takes_part(case)]
    words = {case["id"]: verdict(case) for case in cases}
    must_fail = [case["id"] for case in cases if case["expected_result"] == "FAILURE"]
    must_pass = [case["id"] for case in cases if case["expected_result"] == "SUCCESS"]
    return {
        "cases": len(cases), "must_fail": len(must_fail), "must_pass": len(must_pass),
        "wrong_accepts": [one for one in must_fail if words[one] == ACCEPTED],
        "wrong_rejects": [one for one in must_pass if words[one] != ACCEPTED], "words": words,
    }  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Play a file; print; 0, or 2 where it cannot be read."""
    parser = argparse.ArgumentParser(prog="limbo.py", description=__doc__.partition("\n")[0])
    parser.add_argument("file", nargs="?", type=pathlib.Path, default=FILE)
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    given = parser.parse_args(argv)
    try:
        found = played(given.file)
    except (OSError, ValueError, KeyError, TypeError) as error:
        parser.error("no limbo suite: %s (%s)" % (given.file, type(error).__name__))
    words = found.pop("words")
    if given.json:
        print(json.dumps(found, indent=1))
        return 0
    print("%(cases)d cases: %(must_fail)d must fail, %(must_pass)d must pass" % found)
    print("wrongly accepted %d:" % len(found["wrong_accepts"]))
    print("".join("  %s\n" % one for one in found["wrong_accepts"]), end="")
    print("wrongly refused %d:" % len(found["wrong_rejects"]))
    print("".join("  %s: %s\n" % (one, words[one]) for one in found["wrong_rejects"]), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
