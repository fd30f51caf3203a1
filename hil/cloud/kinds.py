"""A ready device for each kind of credential: DIR/KIND/anchorwatch.toml, its files, its enrollment.

Writes files and returns the enrollment that lets the device in; nothing else.
"""

import base64
import os
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from . import csr, devicecerts, issuing, sas
from .certificates import Issuer, name_of, pem
from .enrollment import CA, GROUP, INDIVIDUAL, SYMMETRIC_KEY, X509, Enrollment
from .identity import loaded
from .issuers import DEFAULT_POLICY, Issuers

X509_KIND, GROUP_KIND, KEY_KIND = "x509", "x509-group", "symmetric-key"
EST_KIND, TENANT_KIND, MANAGED_KIND = "x509-est", "x509-tenant", "x509-managed"
REGISTRATION_IDS = {
    X509_KIND: "dev-x509", GROUP_KIND: "dev-group", KEY_KIND: "dev-key",
    EST_KIND: "dev-est", TENANT_KIND: "dev-tenant", MANAGED_KIND: "dev-managed",
}  # fmt: skip
KINDS = tuple(REGISTRATION_IDS)
TENANT_CA = "tenant-1"  # as it is called where it is registered
EST_SECRET = "est.secret"

TOML = """\
# A device of the emulated cloud, credential kind {kind}. Paths are relative to this file.
[device]
id_scope = "{id_scope}"
registration_id = "{registration_id}"

[credential]
{credential}

[dps]
host = "{dps_host}"

[hub]
allowed_suffixes = ["{suffix}"]

[trust]
factory_dir = "../factory"
site_dir = "site"
mirrors = ["{mirror}"]
{issuer}
[clock]
sntp = "{sntp}"

[state]
dir = "state"

[control]
socket = "control.sock"

[resolve]
resolve_file = "../resolve.json"
{resolve}
"""

BY_CERTIFICATE = 'kind = "x509"\ncert_file = "device.pem"\nkey_file = "device.key"\n'
BY_CA = BY_CERTIFICATE + 'enrollment = "ca"'
CREDENTIALS = {
    X509_KIND: BY_CERTIFICATE + 'enrollment = "thumbprint"',
    GROUP_KIND: BY_CA,
    EST_KIND: BY_CA,
    TENANT_KIND: BY_CA,
    MANAGED_KIND: BY_CA,
    KEY_KIND: 'kind = "symmetric_key"\nkey_file = "device.key"',
}

EST = """
[identity]
issuer = "est"

[est]
host = "{est_host}"{label}
anchors_file = "../est/anchors.pem"
auth_file = "est.secret"
"""
ISSUERS = {
    EST_KIND: (EST, ""),
    TENANT_KIND: (EST, '\nlabel = "tenant"'),
    MANAGED_KIND: ('\n[identity]\nissuer = "dps"\n', ""),
}


def write(
    folder: Path, kind: str, facts: dict, hub_host: str, issuers: Issuers, now_ms: int
) -> Enrollment:
    """Write DIR/KIND and return its enrollment, assigned to `hub_host`.

    facts    id_scope, dps_host, suffix, sntp, mirror, est_host, and resolve: {"host:port":
             ["address:port"]}
    issuers  learn of the device: its CA and its secret are EST's to know too
    """
    place = folder / kind
    (place / "site").mkdir(parents=True, exist_ok=True)
    registration_id = REGISTRATION_IDS[kind]
    enrollment = MAKERS[kind](place, registration_id, hub_host, issuers, now_ms)
    issuer, label = ISSUERS.get(kind, ("", ""))
    lines = [f'"{name}" = {_toml(to)}' for name, to in sorted(facts["resolve"].items())]
    text = TOML.format(
        **{**facts, "resolve": "\n".join(lines)},
        kind=kind,
        registration_id=registration_id,
        credential=CREDENTIALS[kind],
        issuer=issuer.format(est_host=facts["est_host"], label=label),
    )
    (place / "anchorwatch.toml").write_text(text)
    return enrollment


def _toml(addresses: list[str]) -> str:
    return "[" + ", ".join(f'"{address}"' for address in addresses) + "]"


def write_secret(file: Path, data: bytes) -> None:
    """A file only its owner may read, never readable by others on the way."""
    beside = file.with_name(file.name + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
    os.replace(beside, file)


def _put(place: Path, made: Issuer, *above: x509.Certificate) -> None:
    write_secret(place / "device.key", devicecerts.key_pem(made))
    (place / "device.pem").write_bytes(pem(made.certificate, *above))


def _x509(place: Path, name: str, hub: str, issuers: Issuers, now_ms: int) -> Enrollment:
    made = devicecerts.device(name)
    _put(place, made)
    return Enrollment(name, INDIVIDUAL, X509, devicecerts.der(made), hub=hub)


def _x509_group(
    place: Path, name: str, hub: str, issuers: Issuers, now_ms: int,
    enrollment_id: str = "group-x509", **more: object,
) -> Enrollment:  # fmt: skip
    authority = devicecerts.device_ca("Device CA of the emulated cloud")
    made = devicecerts.device(name, authority)
    _put(place, made, authority.certificate)
    write_secret(place / "ca.key", devicecerts.key_pem(authority))
    (place / "ca.pem").write_bytes(pem(authority.certificate))
    der = devicecerts.der(authority)
    return Enrollment(enrollment_id, GROUP, X509, der, hub=hub, hub_auth=CA, **more)


def _x509_est(place: Path, name: str, hub: str, issuers: Issuers, now_ms: int) -> Enrollment:
    """The group's secondary is the CA that EST issues from: renewed devices are let in."""
    root = issuers.own.authority(now_ms).root()
    made = _x509_group(place, name, hub, issuers, now_ms, "group-est", secondary=root)
    issuers.est.trusted[EST_KIND] = made.primary
    _write_est_secret(place, name, issuers)
    return made


def _x509_tenant(place: Path, name: str, hub: str, issuers: Issuers, now_ms: int) -> Enrollment:
    """The device has its first certificate from the tenant CA, which everybody knows already."""
    key = issuing.new_key()
    request = csr.read(_signing_request(name, key))
    leaf, above = issuing.chain_for(issuers.tenant, request, now_ms)
    _put(place, Issuer(loaded(leaf), key), loaded(above))
    _write_est_secret(place, name, issuers)
    return Enrollment("group-tenant", GROUP, X509, primary_ca=TENANT_CA, hub=hub, hub_auth=CA)


def _x509_managed(place: Path, name: str, hub: str, issuers: Issuers, now_ms: int) -> Enrollment:
    policy = DEFAULT_POLICY
    return _x509_group(place, name, hub, issuers, now_ms, "group-managed", policy=policy)


def _symmetric_key(place: Path, name: str, hub: str, issuers: Issuers, now_ms: int) -> Enrollment:
    group_key = base64.b64encode(secrets.token_bytes(64)).decode()
    device_key = sas.derived_key(group_key, name)
    write_secret(place / "device.key", device_key.encode() + b"\n")
    return Enrollment("group-key", GROUP, SYMMETRIC_KEY, group_key, hub=hub)


def _write_est_secret(place: Path, name: str, issuers: Issuers) -> None:
    secret = issuers.est.secrets[name] = secrets.token_urlsafe(24)
    write_secret(place / EST_SECRET, f"{name}:{secret}\n".encode())


def _signing_request(name: str, key: object) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(name_of({"CN": name}))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


MAKERS = {
    X509_KIND: _x509,
    GROUP_KIND: _x509_group,
    KEY_KIND: _symmetric_key,
    EST_KIND: _x509_est,
    TENANT_KIND: _x509_tenant,
    MANAGED_KIND: _x509_managed,
}
