"""Names and ids as they come from outside: what may be dialled, what may be registered.

Rule: a name from the cloud is used verbatim or refused, never repaired.

Source: RFC 1123 section 2.1; Microsoft Learn, "X.509 certificate attestation" (registration id).
"""

from ..errors import ConfigError, TrustError

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_LABEL = _LETTERS + _DIGITS + "-"
_REGISTRATION = _LABEL + "._:"
HOST_AT_MOST = 253
LABEL_AT_MOST = 63
REGISTRATION_AT_MOST = 128
REGISTRATION_AT_MOST_X509 = 64  # the length of a common name


def is_host(name: str) -> bool:
    """Is `name` a full DNS name: two labels or more, no IP address, no dot at the end?"""
    labels = name.lower().split(".")
    return (
        len(name) <= HOST_AT_MOST
        and len(labels) > 1
        and not [label for label in labels if not _is_label(label)]
        and labels[-1][0] in _LETTERS
    )


def _is_label(label: str) -> bool:
    return (
        0 < len(label) <= LABEL_AT_MOST
        and not [c for c in label if c not in _LABEL]
        and label[0] != "-"
        and label[-1] != "-"
    )


def check_host(host: str, allowed_suffixes: list[str]) -> str:
    """`host` as it is, if the configuration lets the agent go there; TrustError if not.

    A suffix fits whole labels only: `azure-devices.net` fits `hub.azure-devices.net` and itself,
    `.azure-devices.net` only what is below; neither fits `evilazure-devices.net`.
    """
    if not isinstance(host, str) or not is_host(host):
        remedy = "check the hub linked to the provisioning service"
        raise TrustError("assigned hub is not a host name", host, remedy)
    for suffix in allowed_suffixes:
        if is_below(host.lower(), suffix.lower()):
            return host
    raise TrustError(
        "assigned hub is outside hub.allowed_suffixes", host,
        "if this hub is yours, add its domain to it",
    )  # fmt: skip


def is_below(host: str, suffix: str) -> bool:
    """True when `suffix` fits whole labels of `host`; with a leading dot only what is below it."""
    bare = suffix[1:] if suffix[:1] == "." else suffix
    if not bare:
        return False
    return host.endswith("." + bare) or host == suffix


def check_registration_id(registration_id: str, x509: bool = False) -> str:
    """`registration_id` as it is, or ConfigError."""
    most = REGISTRATION_AT_MOST_X509 if x509 else REGISTRATION_AT_MOST
    text = registration_id.lower()
    if not 0 < len(text) <= most:
        reason = "registration id must have 1 to %d characters" % most
    elif [c for c in text if c not in _REGISTRATION]:
        reason = "registration id may hold letters, digits and - . _ : only"
    elif text[-1] in "._:":
        reason = "registration id must end with a letter, a digit or -"
    else:
        return registration_id
    raise ConfigError(reason, registration_id, "set device.registration_id")
