"""Registration records: which device went to which hub, and what a repeated registration does.

Writes devices into hubs; speaks to no device.
Source: "IoT Hub Device reprovisioning concepts"; "Roll X.509 device certificates".
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from . import registry
from .enrollment import CA, GROUP, MIGRATE, NEVER, RESET, X509, Enrollment, Presented
from .hub import IotHub
from .identity import thumbprints
from .records import iso
from .refusal import BadRequest
from .twin import Twin

INITIAL, MIGRATED = "initialAssignment", "deviceDataMigrated"
DATA_RESET, RETURNED = "deviceDataReset", "reprovisionedToInitialAssignment"


@dataclass
class Registration:
    """One registration record."""

    registration_id: str
    device_id: str
    assigned_hub: str
    first_hub: str
    substatus: str
    created_utc_s: int
    updated_utc_s: int
    etag: str
    enrollment: Enrollment

    def shown(self) -> dict:
        """The registrationState of the documentation."""
        state = {
            "registrationId": self.registration_id,
            "createdDateTimeUtc": iso(self.created_utc_s),
            "assignedHub": self.assigned_hub,
            "deviceId": self.device_id,
            "status": "assigned",
            "substatus": self.substatus,
            "lastUpdatedDateTimeUtc": iso(self.updated_utc_s),
            "etag": self.etag,
            **attestation_shown(self.enrollment),
        }
        if self.enrollment.payload is not None:
            state["payload"] = self.enrollment.payload
        return state


def attestation_shown(enrollment: Enrollment) -> dict:
    """{"x509": {}} or {"symmetricKey": {"enrollmentGroupId": …}}."""
    if enrollment.attestation == X509:
        return {"x509": {}}
    in_group = enrollment.kind == GROUP
    return {"symmetricKey": {"enrollmentGroupId": enrollment.enrollment_id} if in_group else {}}


@dataclass
class Ways:
    """What is particular about one registration.

    elsewhere  a host to name instead of the enrollment's, whether or not a hub is there
    late_s     how long the hub does not know of it yet
    issued     the chain of the certificate that was issued with it
    """

    elsewhere: str | None = None
    late_s: int = 0
    issued: list[bytes] = field(default_factory=list)


class Assignments:
    """The registration records of one service, and the hubs linked to it."""

    def __init__(self, hubs: list[IotHub], make_id: Callable[[], str]) -> None:
        self._hubs, self._make_id = hubs, make_id
        self._records: dict[str, Registration] = {}

    def get(self, registration_id: str) -> Registration | None:
        """The record, or None; the case of the id does not count."""
        return self._records.get(registration_id.lower())

    def remove(self, registration_id: str) -> None:
        """Forget a record; the device stays in its hub, as documented."""
        if self._records.pop(registration_id.lower(), None) is None:
            raise BadRequest("no such registration", registration_id, "register it first")

    def assign(
        self, chosen: Enrollment, shown: Presented, ways: "Ways", utc_s: int, now_ms: int
    ) -> Registration:
        """Assign the device to its hub and write it there with the credential just shown."""
        before = self.get(shown.registration_id)
        host = ways.elsewhere or chosen.hub
        if before and chosen.reprovision == NEVER and not ways.elsewhere:
            host = before.assigned_hub
        record = Registration(
            registration_id=shown.registration_id,
            device_id=chosen.device_id or shown.registration_id,
            assigned_hub=host,
            first_hub=before.first_hub if before else host,
            substatus=substatus(before, host, chosen.reprovision),
            created_utc_s=before.created_utc_s if before else utc_s,
            updated_utc_s=utc_s,
            etag=self._make_id(),
            enrollment=chosen,
        )
        self._write(before, record, made_identity(record, shown, ways.issued), ways.late_s, now_ms)
        self._records[shown.registration_id.lower()] = record
        return record

    def _write(
        self,
        before: Registration | None,
        record: Registration,
        made: registry.Identity,
        late_s: int,
        now_ms: int,
    ) -> None:
        twin = self._leave(before, record, now_ms)
        hub = self._hub(record.assigned_hub)
        if hub is None:
            return

        def write(now_ms: int) -> None:
            known = hub.registry.get(record.device_id)
            made.enabled = known.enabled if known else True
            hub.put_device(made, now_ms)
            if known is None or record.enrollment.reprovision == RESET:
                desired = dict(record.enrollment.initial_desired)
                hub.put_twin(record.device_id, twin or Twin(desired))

        if late_s:
            hub.later(record.device_id, now_ms + 1000 * late_s, write)
        else:
            write(now_ms)

    def _leave(self, before: Registration | None, record: Registration, now_ms: int) -> Twin | None:
        """Take the device out of its previous hub; the twin to carry over, if there is one."""
        hub = self._hub(before.assigned_hub) if before else None
        moved = before and before.assigned_hub != record.assigned_hub
        if not moved or hub is None or hub.registry.get(before.device_id) is None:
            return None
        if hub is self._hub(record.assigned_hub):
            return None  # another name of the same hub
        twin = hub.twin(before.device_id)
        hub.delete_device(before.device_id, now_ms)
        return twin if record.enrollment.reprovision == MIGRATE else None

    def _hub(self, host: str) -> IotHub | None:
        for hub in self._hubs:
            if host in hub.hosts:
                return hub
        return None


def substatus(before: Registration | None, host: str, policy: str) -> str:
    """What a registration that ends at this host is called."""
    if before is None:
        return INITIAL
    if policy == RESET:
        return DATA_RESET
    if host == before.assigned_hub:
        return before.substatus
    return RETURNED if host == before.first_hub else MIGRATED


def made_identity(record: Registration, shown: Presented, issued: list[bytes]) -> registry.Identity:
    """The device as its hub is told of it: a registration sets the thumbprint that was shown.

    issued  the chain just issued for it, whose leaf then takes that place
    """
    chosen, device_id = record.enrollment, record.device_id
    if chosen.hub_auth == CA and (issued or chosen.attestation == X509):
        return registry.Identity(device_id, auth=registry.CA, policy=chosen.policy)
    if issued or chosen.attestation == X509:
        leaf = thumbprints((issued or shown.chain)[0])[1]
        return registry.Identity(
            device_id, registry.THUMBPRINT, primary_thumbprint=leaf, policy=chosen.policy
        )
    keys = chosen.keys_of(shown.registration_id)
    second = keys[1] if len(keys) > 1 else ""
    return registry.Identity(
        device_id, primary_key=keys[0], secondary_key=second, policy=chosen.policy
    )
