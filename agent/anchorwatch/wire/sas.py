"""Shared access signatures: what is signed, how, and the token that carries it.

Rule: a key comes in as an argument and never goes into an error, a token or a module's state.

Source: Microsoft Learn, "Control access to IoT Hub by using shared access signatures"; "Symmetric
key attestation" of the provisioning service; RFC 2104.
"""

import hashlib

from ..errors import ConfigError, MalformedMessage
from .encoding import base64_bytes, base64_text, quote

_BLOCK = 64
DPS_KEY_NAME = "registration"


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC with SHA-256, by nothing but SHA-256: boards have no hmac module."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes([b ^ 0x36 for b in key]))
    inner.update(data)
    outer = hashlib.sha256(bytes([b ^ 0x5C for b in key]))
    outer.update(inner.digest())
    return outer.digest()


def string_to_sign(resource: str, expiry_s: int) -> bytes:
    r"""`hub.example%2Fdevices%2Fdev-7\n1663119026`."""
    return ("%s\n%d" % (quote(resource), expiry_s)).encode()


def token(resource: str, signature: bytes, expiry_s: int, key_name: str = "") -> str:
    """`SharedAccessSignature sr={resource}&sig={signature}&se={expiry}[&skn={key name}]`.

    resource    `{host}/devices/{device id}` for a hub, `{id scope}/registrations/{id}` for DPS
    key_name    DPS_KEY_NAME for DPS, nothing for a device's own key
    """
    text = "SharedAccessSignature sr=%s&sig=%s&se=%d" % (
        quote(resource), quote(base64_text(signature)), expiry_s,
    )  # fmt: skip
    return text + "&skn=" + quote(key_name) if key_name else text


def key_bytes(key: str, name: str = "symmetric key") -> bytes:
    """The bytes of a key as the portal shows it; a refusal names the setting, never the key."""
    remedy = "copy the primary or secondary key of the enrollment again"
    try:
        data = base64_bytes(key.strip())
    except MalformedMessage:
        data = b""
    if not data:
        raise ConfigError("%s is not base64" % name, "%d characters" % len(key), remedy)
    return data


def derive_device_key(group_key: str, registration_id: str) -> str:
    """A device's key out of its enrollment group's: base64 in, base64 out. For the bench only."""
    derived = hmac_sha256(key_bytes(group_key, "group key"), registration_id.encode())
    return base64_text(derived)
