"""Why a chain ends in nobody we know, or in another name than asked for: a guess by what it shows.

Rule: a guess is a word for a human; it makes nothing trusted, and nothing is refused for it that
was not refused before. Where nothing points to one, there is none.

Source: RFC 5280 section 4.2.2.1; names that TLS proxies and captive portals give to what they sign.
"""

from .judge import Judgement

# What the judge's or a library's word may become; see `better`.
WORDS = {
    "intermediate-missing": "the server shows its own certificate alone, and names where its "
    "issuer's, which is not a root of ours, is to be had",
    "intercepted": "a TLS proxy or a captive portal answers in the server's place, by the names "
    "that it shows",
}
_UNKNOWN, _MISMATCH = "unknown-issuer", "name-mismatch"
# id-ad-caIssuers, as it stands in a certificate
_CA_ISSUERS = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02"
# Parts of names, in small letters. Each is a maker or a product, never a plain word.
_IN_BETWEEN = (
    "zscaler", "netskope", "fortinet", "fortigate", "palo alto networks", "blue coat", "bluecoat",
    "forcepoint", "websense", "sophos", "sonicwall", "watchguard", "barracuda networks",
    "cisco umbrella", "ironport", "mcafee web gateway", "skyhigh security", "symantec web security",
    "trend micro", "check point", "menlo security", "iboss", "cato networks",
    "securly", "lightspeed systems", "smoothwall", "kaspersky", "avast", "bitdefender", "eset ssl",
    "squid-cache", "mitmproxy", "charles proxy", "portswigger", "fiddler", "pfsense", "opnsense",
    "captive portal", "captiveportal", "nodogsplash", "coovachilli", "nomadix", "arubanetworks",
    "meraki", "mikrotik", "ubiquiti",
)  # fmt: skip


def better(verdict: str, seen: Judgement, leaf: bytes) -> str:
    """A word of WORDS for `unknown-issuer` or `name-mismatch` where one fits, else `verdict`.

    seen  what was found in the presented chain; leaf  DER of its first certificate
    """
    if verdict not in (_UNKNOWN, _MISMATCH):
        return verdict
    shown = " ".join(seen.presented).lower()
    if [word for word in _IN_BETWEEN if word in shown]:
        return "intercepted"
    alone = len(seen.chain) == 1 and len(seen.presented) > 1
    if verdict == _UNKNOWN and alone and _CA_ISSUERS in leaf:
        return "intermediate-missing"
    return verdict
