"""A device twin: desired and reported properties, each with its own $version.

Merges and counts; sends nothing. A refused patch changes nothing.
Source: "Understand and use device twins in IoT Hub"; limits from its page of quotas.
"""

import json

SECTION_LIMIT = 32 * 1024
DEPTH_LIMIT = 10
MALFORMED = 400
TOO_LARGE = 413


class PatchRefused(Exception):
    """The patch was not applied; `status` is what the device or operator is told."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def merged(old: dict, patch: dict) -> dict:
    """`old` under the patch: null deletes a member, an object merges, all else replaces."""
    new = dict(old)
    for name, value in patch.items():
        if value is None:
            new.pop(name, None)
        elif isinstance(value, dict):
            under = new.get(name)
            new[name] = merged(under if isinstance(under, dict) else {}, value)
        else:
            new[name] = value
    return new


def parsed_patch(body: bytes) -> dict:
    """The patch in a message body, checked; raises PatchRefused."""
    try:
        patch = json.loads(body)
    except (ValueError, RecursionError):
        raise PatchRefused(MALFORMED, "not JSON") from None
    return checked_patch(patch)


def checked_patch(patch: object) -> dict:
    """The patch, if it is an object of legal names and depth; raises PatchRefused."""
    if not isinstance(patch, dict):
        raise PatchRefused(MALFORMED, "not an object")
    _check_names(patch, 1)
    return patch


def _check_names(members: dict, depth: int) -> None:
    if depth > DEPTH_LIMIT:
        raise PatchRefused(MALFORMED, f"deeper than {DEPTH_LIMIT} levels")
    for name, value in members.items():
        if not name or any(c in "$. " or ord(c) < 32 for c in name):
            raise PatchRefused(MALFORMED, f"illegal name {name!r}")
        if isinstance(value, dict):
            _check_names(value, depth + 1)


class Section:
    """Desired or reported: properties and the $version that counts their changes."""

    def __init__(self, properties: dict | None = None) -> None:
        self.properties = properties or {}
        self.version = 1

    def patch(self, patch: dict) -> int:
        """Apply a checked patch; the new $version. Raises PatchRefused when it grows too large."""
        new = merged(self.properties, patch)
        if len(json.dumps(new, separators=(",", ":"), ensure_ascii=False).encode()) > SECTION_LIMIT:
            raise PatchRefused(TOO_LARGE, f"larger than {SECTION_LIMIT} bytes")
        self.properties = new
        self.version += 1
        return self.version

    def shown(self) -> dict:
        """The properties with their $version, as a device reads them."""
        return {**self.properties, "$version": self.version}


class Twin:
    """Both sections of one device."""

    def __init__(self, desired: dict | None = None) -> None:
        self.desired = Section(desired)
        self.reported = Section()

    def shown(self) -> dict:
        """{"desired": {…, "$version": n}, "reported": {…, "$version": m}}."""
        return {"desired": self.desired.shown(), "reported": self.reported.shown()}
