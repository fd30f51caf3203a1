"""What DPS saw of a device's certificates: the law of design section 5, over every registration.

Rule: the services' words alone count. DPS hears of an older certificate only after it refused the
newest, or assigned it and the hub would not have it for as long as the news may take; a
registration that carries a request is no word on the old one.
"""

import hashlib
import json

from cryptography import x509

from anchorwatch.core import actions

NEWS_MS = 100_000  # of the two minutes that an assignment may need to reach the hub


class Registrations:
    """Watches one device from now on; `older` holds each registration that broke the law.

    asked    (ms, fingerprint) of each certificate that DPS was asked with, without a request
    refused  fingerprints that DPS said no to, and has not assigned since
    """

    def __init__(self, pair: object) -> None:
        self.asked: list[tuple[int, str]] = []
        self.older: list[tuple[int, str]] = []
        self.refused: set[str] = set()
        self._pair, self._held = pair, {}
        self._assigned: dict[str, int] = {}
        self._perform, pair.perform = pair.perform, self._watch
        dps = pair.cloud.dps
        self._register, dps.register = dps.register, self._asked
        self._status, dps.operation_status = dps.operation_status, self._polled

    def _watch(self, action: object) -> None:
        """What the device has in its hands when it dials."""
        if isinstance(action, actions.Dial) and action.endpoint == "dps" and action.slot:
            chains = [held["chain"] for held in self._pair.slots.values()]
            leaves = [chain[0] for chain in [*chains, self._pair.credential.chain] if chain]
            closed = self._pair.watch.device.slots.kept["closed"]
            self._held = {name: made for name, made in map(born, leaves) if name not in closed}
        self._perform(action)

    def _asked(self, shown: object, body: bytes, now_ms: int) -> object:
        reply = self._register(shown, body, now_ms)
        if "csr" not in json.loads(body) and shown.chain:
            name, made = born(shown.chain[0])
            newer = {other for other, begins in self._held.items() if begins > made}
            self.asked.append((now_ms, name))
            if [other for other in newer - self.refused if not self._in_vain(other, now_ms)]:
                self.older.append((now_ms, name))
            if reply is not None and 400 <= reply.status < 429:
                self.refused.add(name)
        return reply

    def _polled(self, shown: object, operation_id: str, now_ms: int) -> object:
        reply = self._status(shown, operation_id, now_ms)
        word = reply.body.get("status") if reply is not None and shown.chain else ""
        if word == "assigned":
            self.refused.discard(born(shown.chain[0])[0])
            self._assigned[born(shown.chain[0])[0]] = now_ms
        elif word in ("failed", "disabled"):
            self.refused.add(born(shown.chain[0])[0])
        return reply

    def _in_vain(self, name: str, now_ms: int) -> bool:
        """Assigned, and at the end of two minutes still refused by the hub."""
        known_ms = self._assigned.get(name, now_ms) + NEWS_MS
        rows = self._pair.cloud.journal.of("connect refused")
        return any(known_ms <= r["t_ms"] < now_ms for r in rows if r["service"] != "dps")


def born(der: bytes) -> tuple[str, float]:
    """A certificate's fingerprint and the begin of its life."""
    begins = x509.load_der_x509_certificate(der).not_valid_before_utc.timestamp()
    return hashlib.sha256(der).hexdigest(), begins
