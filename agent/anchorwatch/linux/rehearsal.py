"""`anchorwatch check --rehearse`: would a chain that no server presents yet be accepted here?

Rule: nothing is asked of any network; files and state are read as by `check`. A profile is judged
by core/readiness.py; a chain in a file by the same judge and the same TLS library as in a dial.
"""

import time

from ..config import Config
from ..core import readiness
from ..core.events import ClockSet
from ..errors import ConfigError, plain
from ..pki import judge, pem
from ..pki.der import Certificate
from ..pki.limits import Anchor
from . import keyless
from .check import Check
from .clock import known, now_ms
from .credential import absent
from .findings import Findings, short
from .shortrecords import ShortRecords
from .toml import load

_STEP = "ready"


class Rehearsal:
    """watch  after Start, with its time; der_of  of an anchor; rows go into `found`."""

    def __init__(self, watch, der_of, now: int) -> None:
        self._device, self._trust, self._der_of = watch.device, watch.trust, der_of
        self._now, self._records = now, ShortRecords()
        self.found = Findings()

    def profile(self, word: str) -> None:
        """A word of readiness.profiles(), or `announced`."""
        if word != readiness.ANNOUNCED:
            self._chain(readiness.profiles()[word], word)
            return
        chains = readiness.announced(self._trust)
        for chain in chains:
            self._chain(chain, word)
        if not chains:
            self.found.good("", _STEP, "no bundle in force announces a root", profile=word)

    def file(self, chain: list[bytes], name: str) -> None:
        """A chain, leaf first, as a server would present it."""
        for endpoint in self._trust.endpoints:
            order = self._order(endpoint)
            if not order.host:
                self.found.untried(endpoint, _STEP, "not assigned yet, so there is no name")
                continue
            verdict, root = Presented(self._trust, self._der_of, order, chain).verdict()
            shown = (self._trust.entry(root) or {}).get("name") or _root_name(chain)
            self._note(endpoint, verdict, root, shown, name, "%d certificates for %s" % (
                len(chain), order.host))

    def _chain(self, chain: dict, word: str) -> None:
        for endpoint in self._trust.endpoints:
            if endpoint not in chain["endpoints"]:
                if word != readiness.ANNOUNCED:
                    self.found.untried(endpoint, _STEP, "no such chain is known of this endpoint")
                continue
            order = self._order(endpoint)
            date = chain.get("date")
            where = {"endpoint": endpoint, "host": order.host, "profile": order.profile,
                     "utc_s": max(order.judge_utc_s, date or 0)}  # fmt: skip
            verdict = readiness.verdict(self._trust, where, chain)
            name = chain["name"] or chain["root"]
            self._note(endpoint, verdict, chain["root"], name, word, _day(date) if date else word)

    def _note(self, endpoint: str, verdict: str, root: str, name: str, word: str,
              value: str) -> None:
        layer = self._trust.layer_of(root)
        if verdict in readiness.CONNECTS and self._cannot_shorten(endpoint):
            verdict = "fragment"
        what = "%s: %s" % (verdict, short(name))
        more = {"verdict": verdict, "remedy": readiness.VERDICTS[verdict], "root": root,
                "layer": layer, "profile": word}  # fmt: skip
        note = self.found.good if verdict in readiness.CONNECTS else self.found.bad
        note(endpoint, _STEP, what, value + (", %s layer" % layer if layer else ""), **more)

    def _cannot_shorten(self, endpoint: str) -> bool:
        """Short records are required, and this process cannot ask for them."""
        required = self._device.profile(endpoint)["max_fragment"] == "require"
        return required and bool(self._records.unavailable())

    def _order(self, endpoint: str):
        return self._device.dial("next", endpoint, True, self._now)


class Presented:
    """A chain that an endpoint would present, against the anchors that are here."""

    def __init__(self, trust, der_of, order, chain: list[bytes]) -> None:
        self._trust, self._der_of, self._order, self._chain = trust, der_of, order, chain
        self._endpoint, self._host = order.endpoint, order.host

    def verdict(self) -> tuple[str, str]:
        """(word of readiness.VERDICTS, SHA-256 of the root it is about or "")."""
        reserve = self._trust.reserve(self._endpoint, self._host)
        offered = self._trust.offered(self._endpoint, self._host)
        found = self._judged(offered + reserve)
        if found is not None:
            return found, ""
        for word, anchors in (("ready", offered), ("reserve", reserve)):
            said = self._library(anchors)
            if said == "ok":
                root = next(a for a in anchors if self._library([a]) == "ok")
                return self._root(root) or word, root
            if said != "unknown-issuer":
                return readiness.of_chain(said), ""
        return self._unknown(offered + reserve)

    def _judged(self, anchors: list[str]) -> str | None:
        """What speaks against it before the library is asked; None for nothing."""
        order = self._order
        ends = tuple(Anchor(der) for der in self._ders(anchors))
        found = judge.judge(self._chain, order.host, order.judge_utc_s, order.profile, ends)
        if not found.ok:
            return readiness.of_chain(found.verdict)
        about = {"key": self._kind(), "ecc": True}
        return readiness.policy(self._endpoint, order.profile, about) or None

    def _library(self, anchors: list[str]) -> str:
        return keyless.verdict(self._chain, self._ders(anchors), self._order.profile, self._host,
                               self._kind())

    def _root(self, root: str) -> str:
        """What is said of the anchor itself; "" for nothing."""
        anchor = Certificate(self._der_of(root))
        if self._order.profile["all_ecc"] and anchor.rsa_bits():
            return "not-ecc"
        limits = self._trust.anchors.limits(self._endpoint, self._host, [root])
        leaf = Certificate(self._chain[0])
        issuers = [c.spki_sha256 for c in map(Certificate, self._chain[1:])
                   if c.subject == leaf.issuer] or [anchor.spki_sha256]
        broken = Anchor(anchor.der, limits.get(root, {})).broken(leaf, issuers)
        proven = self._trust.evidence.proven.get(self._endpoint) == root
        late = self._order.judge_utc_s > anchor.not_after and not proven
        return broken or ("expired" if late else "")

    def _unknown(self, tried: list[str]) -> tuple[str, str]:
        """No anchor in use fits: is there one that is not in use, or was the chain not whole?"""
        for root in known_roots(self._trust):
            if root not in tried and self._library([root]) == "ok":
                return ("distrusted" if self._trust.distrusted(root) else "out-of-scope"), root
        last = Certificate(self._chain[-1])
        alone = len(self._chain) == 1 and not last.self_issued
        return ("chain-incomplete" if alone else "absent"), last.sha256 if last.self_issued else ""

    def _ders(self, anchors: list[str]) -> list[bytes]:
        ders = [self._der_of(sha256) for sha256 in anchors]
        return [der for der in ders if der is not None]

    def _kind(self) -> str:
        return "rsa" if Certificate(self._chain[0]).rsa_bits() else "ec"


def known_roots(trust) -> list[str]:
    """SHA-256 of every anchor that a layer or the state knows, in use or not."""
    return sorted({entry["sha256"] for _, entry in trust.anchors.entries()})


def _day(utc_s: int) -> str:
    return "from " + time.strftime("%Y-%m-%d", time.gmtime(utc_s))


def _root_name(chain: list[bytes]) -> str:
    found = judge.judge(chain, "", None, {})
    return found.root or "no certificate"


def rehearsed(path: str, wish: str) -> list[dict]:
    """The rows for a configuration file and a profile's word or a PEM file.

    Raises  ConfigError: the configuration, or neither a profile nor a file
            TrustError: the file holds no certificates
    """
    tree, folder = load(path)
    words = sorted(readiness.profiles()) + [readiness.ANNOUNCED]
    chain = None if wish in words else pem.certificates(_read(wish, words))
    check = Check(Config(tree, folder))
    check.begin(absent())
    check.watch.handle(known() or ClockSet(int(time.time()), "rtc"), now_ms())
    rehearsal = Rehearsal(check.watch, check.layers.der_of, now_ms())
    if chain is None:
        rehearsal.profile(wish)
    else:
        rehearsal.file(chain, wish)
    return [row for row in check.found.rows if row["ok"] is False] + rehearsal.found.rows


def _read(path: str, words: list[str]) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(pem.SIZE_AT_MOST + 1)
    except OSError as error:
        raise ConfigError("neither a profile nor a file that can be read", "%s (%s)" % (
            path, plain(error.strerror)), "profiles are " + ", ".join(words)) from error
