"""Ready devices for the pair tests: an enrollment in the cloud, a pair on it."""

from collections.abc import Callable

from hil.cloud.enrollment import GROUP, X509
from tests.pair import credentials
from tests.pair.cloud import Cloud
from tests.pair.pair import Pair

SNTP = {"clock": {"sntp": "time.example:123"}}


def device(kind: Callable = credentials.x509_individual, config: dict | None = None,
           cloud: Cloud | None = None, **more: object) -> tuple[Cloud, Pair]:  # fmt: skip
    """A cloud that has enrolled a device of this kind, and the device before its first dial."""
    cloud = cloud or Cloud()
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
    return cloud, pair
