"""A ready device for each kind of credential: DIR/KIND/anchorwatch.toml, its files, its enrollment.

Writes files and returns the enrollment that lets the device in; nothing else.
"""

import base64
import os
import secrets
from pathlib import Path

from . import devicecerts, sas
from .certificates import pem
from .enrollment import CA, GROUP, INDIVIDUAL, SYMMETRIC_KEY, X509, Enrollment

X509_KIND, GROUP_KIND, KEY_KIND = "x509", "x509-group", "symmetric-key"
KINDS = (X509_KIND, GROUP_KIND, KEY_KIND)
REGISTRATION_IDS = {X509_KIND: "dev-x509", GROUP_KIND: "dev-group", KEY_KIND: "dev-key"}

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

CREDENTIALS = {
    X509_KIND: 'kind = "x509"\ncert_file = "device.pem"\nkey_file = "device.key"\n'
    'enrollment = "thumbprint"',
    GROUP_KIND: 'kind = "x509"\ncert_file = "device.pem"\nkey_file = "device.key"\n'
    'enrollment = "ca"',
    KEY_KIND: 'kind = "symmetric_key"\nkey_file = "device.key"',
}


def write(folder: Path, kind: str, facts: dict, hub_host: str) -> Enrollment:
    """Write DIR/KIND and return its enrollment, assigned to `hub_host`.

    facts  id_scope, dps_host, suffix, sntp, mirror, and resolve: {"host:port": ["address:port"]}
    """
    place = folder / kind
    (place / "site").mkdir(parents=True, exist_ok=True)
    registration_id = REGISTRATION_IDS[kind]
    enrollment = MAKERS[kind](place, registration_id, hub_host)
    lines = [f'"{name}" = {_toml(to)}' for name, to in sorted(facts["resolve"].items())]
    text = TOML.format(
        **{**facts, "resolve": "\n".join(lines)},
        kind=kind,
        registration_id=registration_id,
        credential=CREDENTIALS[kind],
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


def _x509(place: Path, registration_id: str, hub: str) -> Enrollment:
    made = devicecerts.device(registration_id)
    write_secret(place / "device.key", devicecerts.key_pem(made))
    (place / "device.pem").write_bytes(pem(made.certificate))
    return Enrollment(registration_id, INDIVIDUAL, X509, devicecerts.der(made), hub=hub)


def _x509_group(place: Path, registration_id: str, hub: str) -> Enrollment:
    authority = devicecerts.device_ca("Device CA of the emulated cloud")
    made = devicecerts.device(registration_id, authority)
    write_secret(place / "device.key", devicecerts.key_pem(made))
    (place / "device.pem").write_bytes(pem(made.certificate, authority.certificate))
    write_secret(place / "ca.key", devicecerts.key_pem(authority))
    (place / "ca.pem").write_bytes(pem(authority.certificate))
    return Enrollment("group-x509", GROUP, X509, devicecerts.der(authority), hub=hub, hub_auth=CA)


def _symmetric_key(place: Path, registration_id: str, hub: str) -> Enrollment:
    group_key = base64.b64encode(secrets.token_bytes(64)).decode()
    device_key = sas.derived_key(group_key, registration_id)
    write_secret(place / "device.key", device_key.encode() + b"\n")
    return Enrollment("group-key", GROUP, SYMMETRIC_KEY, group_key, hub=hub)


MAKERS = {X509_KIND: _x509, GROUP_KIND: _x509_group, KEY_KIND: _symmetric_key}
