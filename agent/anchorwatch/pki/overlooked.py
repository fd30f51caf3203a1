"""What TLS libraries let pass in a chain, and no public CA issues.

Rule: only what RFC 5280 forbids every CA to do and what could hide another name or another owner;
never a matter of taste (how a CN is written, which extension is marked critical). The anchor is not
looked at: it was chosen by whoever installed it.

Source: RFC 5280 sections 4.1.2.2, 4.2.1.6 and 4.2.1.10; RFC 9525 section 6.3 on wildcards.
"""

from ..errors import TrustError
from .asn1 import Element
from .der import Certificate

_SERIAL_DIGITS_MOST = 40
_PERMITTED, _EXCLUDED, _DNS_NAME = 0xA0, 0xA1, 0x82


def forbidden(path: list[Certificate], at: int) -> bool:
    """Whether a certificate of a path, leaf first, has what no CA may put there."""
    certificate = path[at]
    serial = certificate.serial
    if serial[0] == "-" or serial == "00" or len(serial) > _SERIAL_DIGITS_MOST:
        return True
    if at == 0:
        return certificate.constraints is not None or _hollow(certificate)
    return certificate.constraints is not None and not _whole(certificate.constraints)


def _hollow(leaf: Certificate) -> bool:
    """A DNS name with an empty label, such as `.example.com`: outside and inside of a domain."""
    return [name for name in leaf.dns_names if "" in name.split(".")] != []


def _whole(constraints: Element) -> bool:
    """Constraints must constrain something: one or two lists, and none of them empty."""
    try:
        lists = constraints.sequence("name constraints")
        for listed in lists:
            subtrees = [one for one in listed.members() if one.sequence("subtree")]
            if listed.tag not in (_PERMITTED, _EXCLUDED) or not subtrees:
                return False
    except TrustError:
        return False
    return lists != []


def excluded(path: list[Certificate]) -> bool:
    """Whether a name of the leaf may stand for one that an issuer on the path must not certify.
    None of them is `forbidden`."""
    names = [name.lower() for name in path[0].dns_names]
    for issuer in path[1:]:
        for domain in _excluded(issuer):
            if [name for name in names if _meets(name, domain)]:
                return True
    return False


def _excluded(issuer: Certificate) -> list[str]:
    """The DNS subtrees that an issuer's constraints exclude."""
    found = []
    lists = [] if issuer.constraints is None else issuer.constraints.sequence("name constraints")
    for listed in lists:
        for subtree in listed.members() if listed.tag == _EXCLUDED else []:
            for base in subtree.sequence("subtree")[:1]:
                if base.tag == _DNS_NAME:
                    found.append("".join([chr(b) for b in base.content()]).lower())
    return found


def _meets(name: str, domain: str) -> bool:
    """`*.example.com` meets `example.com`, where it lies, and `a.example.com`, which it may be."""
    domain = domain[1:] if domain[:1] == "." else domain
    if domain == "" or ("." + name).endswith("." + domain):
        return True
    return name[:2] == "*." and domain.partition(".")[2] == name[2:]
