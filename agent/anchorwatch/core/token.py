"""Passwords for CONNECT: a SAS token for a symmetric key, nothing for a certificate. Rule: the key
is never here.

Source: Microsoft Learn, "Control access to IoT Hub by using shared access signatures".
"""

from ..wire import sas
from .actions import Sign
from .backoff import PHASES
from .device import Device
from .events import Failed, Signed
from .shapes import Event, Items, Tree

MARGIN_MS = 5_000  # a look, a drain and a CONNECT before the hub drops the session


class Tokens:
    """One token at a time for each purpose: "hub live", "hub next", "dps", "look up"."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._open: Tree = {}

    def ask(self, purpose: str, link: str, resource: str, now: int, key_name: str = "") -> Items:
        """[Sign(...)]; for a certificate the answer itself; without a time the failure itself."""
        credential = self._device.slots.of(link)
        if credential["kind"] == "x509":
            return [Signed(purpose, b"")]
        utc_s = self._device.clock.token_utc_s(now)
        if utc_s is None:
            return [Failed(link, "clock", "no-time", [], [], None)]
        expiry_s = utc_s + self._device.config.sas.lifetime_s
        self._open[purpose] = (resource, expiry_s, key_name)
        return [Sign(purpose, sas.string_to_sign(resource, expiry_s), credential["slot"])]

    def password(self, event: Event) -> str | None:
        """The token made of a Signed; None for a certificate."""
        if event.purpose not in self._open or not event.signature:
            return None
        resource, expiry_s, key_name = self._open.pop(event.purpose)
        return sas.token(resource, event.signature, expiry_s, key_name)

    def due_ms(self, link: str, now: int) -> int | None:
        """When a hub token signed now must be replaced: renew_at of its life, up to 5 % earlier by
        phase."""
        if self._device.slots.of(link)["kind"] == "x509":
            return None
        config = self._device.config.sas
        whole_ms = 1000 * config.lifetime_s
        life_ms = min(int(whole_ms * config.renew_at), whole_ms - MARGIN_MS)
        return now + life_ms - life_ms // 20 * self._device.phase // PHASES
