"""Shared access signatures as the services check them.

A token is checked over the text that arrived: `sr` is signed as the device wrote it, escapes and
case included. Source: "Control access to IoT Hub with shared access signatures"; "Symmetric key
attestation" of DPS.
"""

import base64
import binascii
import hashlib
import hmac
from urllib.parse import unquote

from .refusal import NotProven

PREFIX = "SharedAccessSignature "
FIELDS = ("sr", "sig", "se", "skn")


class Token:
    """SharedAccessSignature sr={uri}&sig={signature}&se={expiry}[&skn={policy}], in any order."""

    def __init__(self, text: str) -> None:
        fields = _fields(text)
        self.sr = fields["sr"]
        self.expires_text = fields["se"]
        self.expires_utc_s = int(fields["se"])
        self.skn = unquote(fields.get("skn", ""))
        self.signature = _decoded(unquote(fields["sig"]), "sig is not base64")

    def signed_by(self, key: str) -> bool:
        """Whether this base64 key made the signature."""
        return hmac.compare_digest(self.signature, signature(key, self.sr, self.expires_text))

    def covers(self, resource: str) -> bool:
        """Whether `sr` is the resource or a path above it: /a/b covers /a/b/c and not /a/bc.

        Case does not count: the documentation lower-cases the URI, an SDK does not, both work.
        """
        granted = unquote(self.sr).lower().strip("/").split("/")
        asked = resource.lower().strip("/").split("/")
        return asked[: len(granted)] == granted


def _fields(text: str) -> dict[str, str]:
    if not text.startswith(PREFIX):
        raise NotProven("not a shared access signature")
    fields: dict[str, str] = {}
    for part in text[len(PREFIX) :].split("&"):
        name, equals, value = part.partition("=")
        if name not in FIELDS or not equals or name in fields:
            raise NotProven("a field is unknown, without a value, or there twice")
        fields[name] = value
    if not all(fields.get(name) for name in ("sr", "sig", "se")):
        raise NotProven("sr, sig or se is missing")
    if not (fields["se"].isascii() and fields["se"].isdigit() and len(fields["se"]) <= 12):
        raise NotProven("se is not a time in whole seconds")
    return fields


def _decoded(text: str, complaint: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotProven(complaint) from None


def signature(key: str, sr: str, expires_text: str) -> bytes:
    """HMAC-SHA256 over "{sr}\\n{se}" with the decoded key."""
    return hmac.digest(
        _decoded(key, "the key on record is not base64"), f"{sr}\n{expires_text}".encode(), "sha256"
    )


def derived_key(group_key: str, registration_id: str) -> str:
    """The device key an enrollment group's key gives to one registration id."""
    key = base64.b64decode(group_key, validate=True)
    return base64.b64encode(hmac.digest(key, registration_id.encode(), hashlib.sha256)).decode()


def check(text: str, *, keys: list[str], resource: str, policy: str, utc_s: int) -> Token:
    """The token, if one of the keys signed it for this resource and it has not expired.

    policy   what skn may be: nothing for a device of a hub; for DPS the documentation says
             "registration", and the SDKs send none and are served
    Raises   NotProven with the first reason found, signature first
    """
    token = Token(text)
    if not any(token.signed_by(key) for key in keys if key):
        raise NotProven("signed with another key")
    if token.skn not in ("", policy):
        raise NotProven(f"skn is {token.skn!r} and must be empty or {policy!r}")
    if not token.covers(resource):
        raise NotProven(f"made for {unquote(token.sr)!r} and used for {resource!r}")
    if token.expires_utc_s <= utc_s:
        raise NotProven(f"expired {utc_s - token.expires_utc_s} s ago")
    return token
