"""Ready devices for the pair tests: an enrollment in the cloud, a pair on it."""

from collections.abc import Callable

from hil.cloud.enrollment import GROUP, X509
from tests.pair import credentials
from tests.pair.cloud import Cloud
from tests.pair.pair import Pair

SNTP = {"clock": {"sntp": "time.example:123"}}


def device(kind: Callable = credentials.x509_individual, config: dict | None = None,
           cloud: Cloud | None = None, cloud_seed: int = 1,
           **more: object) -> tuple[Cloud, Pair]:  # fmt: skip
    """A cloud that has enrolled a device of this kind, and the device before its first dial."""
    cloud = cloud or Cloud(cloud_seed)
    credential, enrolled = kind()
    cloud.dps.enrollments.put(enrolled)
    if enrolled.kind == GROUP and enrolled.attestation == X509:
        cloud.hub.registry.authorities["Device CA"] = enrolled.primary
        cloud.hub2.registry.authorities["Device CA"] = enrolled.primary
    return cloud, Pair(cloud, credential, {**SNTP, **(config or {})}, **more)


def online(kind: Callable = credentials.x509_individual, config: dict | None = None,
           **more: object) -> tuple[Cloud, Pair]:  # fmt: skip
    """The same, online."""
    cloud, pair = device(kind, config, **more)
    pair.run_until("online")
    cloud.run_for(1_000)
    return cloud, pair


def change_later(cloud: Cloud, after_ms: int) -> None:
    """The operator changes a desired property."""
    change = {"colour": "red"}
    cloud.at(
        cloud.now_ms + after_ms, lambda: cloud.hub.patch_desired("dev-7", change, cloud.now_ms)
    )


def call_later(cloud: Cloud, after_ms: int, answers: list[dict]) -> None:
    """The operator calls a direct method."""
    cloud.at(
        cloud.now_ms + after_ms,
        lambda: cloud.hub.invoke_method("dev-7", "blink", b"1", cloud.now_ms, done=answers.append),
    )


class Load:
    """Telemetry, methods and C2D for a while, and the promise that none of it is lost."""

    def __init__(self, cloud: Cloud, pair: Pair, span_ms: int, telemetry_ms: int = 50) -> None:
        self.cloud, self.pair = cloud, pair
        self.sent: list[str] = []
        self.answers: list[dict] = []
        self.calls = 0
        until_ms = cloud.now_ms + span_ms
        cloud.every(telemetry_ms, until_ms, pair.send)
        cloud.every(4 * telemetry_ms, until_ms, self._call)
        cloud.every(2 * telemetry_ms, until_ms, self._letter)

    def _call(self) -> None:
        self.calls += 1
        self.cloud.hub.invoke_method(
            "dev-7", "blink", b"{}", self.cloud.now_ms, done=self.answers.append
        )

    def _letter(self) -> None:
        self.sent.append(self.cloud.hub.send_c2d("dev-7", b"hello", None, self.cloud.now_ms))

    def check(self) -> None:
        """Nothing lost, nothing twice, no method failed."""
        arrived = [r["mid"] for r in self.cloud.journal.of("telemetry")]
        assert len(arrived) == len(set(arrived)) == self.pair.feeder.sent
        assert not self.pair.feeder.waiting
        failed = [a for a in self.answers if a.get("status") != 200]
        assert failed == [] and len(self.answers) == self.calls
        letters = [about["properties"]["$.mid"] for about in self.pair.tells("c2d")]
        assert sorted(set(letters)) == sorted(self.sent)
