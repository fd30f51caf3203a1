"""Whether a leaf is for a host: by its DNS names, or by its addresses where the host is one.

Rule: a CN never counts, a wildcard stands for one whole label at the left, and an address is
compared with addresses only.

Source: RFC 9525 section 6; RFC 5280 section 4.2.1.6.
"""

from .der import Certificate

_DIGITS = "0123456789"
_LETTERS = "abcdefghijklmnopqrstuvwxyz-."
_GROUPS = 8


def fits(leaf: Certificate, host: str) -> bool:
    """Does a leaf cover `host`, a name or an IP address?"""
    address = _address(host)
    if address:
        return address in leaf.ip_addresses and not _another_address(leaf, host)
    return [name for name in leaf.dns_names if name_fits(name, host)] != []


def name_fits(pattern: str, host: str) -> bool:
    """Does a DNS name of a certificate cover `host`? A `*` stands for the whole left-most label."""
    pattern, host = pattern.lower(), host.lower()
    if not host or [c for c in host if c not in _LETTERS and c not in _DIGITS]:
        return False
    if pattern[:2] != "*.":
        return pattern == host
    label, dot, parent = host.partition(".")
    return label != "" and "." in parent and parent == pattern[2:]


def _address(host: str) -> str:
    """An address as extensions.py writes it; "" for a name."""
    if ":" in host:
        return _long(host.lower())
    parts = host.split(".")
    numbers = [part for part in parts if part and not [c for c in part if c not in _DIGITS]]
    return host if len(numbers) == len(parts) == 4 else ""


def _another_address(leaf: Certificate, host: str) -> bool:
    """Whether its CN reads as an address, by another spelling or of another host: `0x7f000001`,
    `127.000.000.001`. There are too many spellings for anybody to see that it is the same one."""
    for part in leaf.subject_name.split(", "):
        kind, _, cn = part.partition("=")
        last = cn.lower().split(".")[-1]
        numeric = last != "" and not [c for c in last if c not in _DIGITS]
        if kind == "CN" and cn != host and (":" in cn or numeric or last[:2] == "0x"):
            return True
    return False


def _long(host: str) -> str:
    """An IPv6 address with all its groups: `0:0:0:0:0:0:0:1` of `::1`."""
    head, gap, tail = host.partition("::")
    front, back = head.split(":") if head else [], tail.split(":") if tail else []
    zeros = ["0"] * (_GROUPS - len(front) - len(back)) if gap else []
    return ":".join([group.lstrip("0") or "0" for group in front + zeros + back])
