"""Where a dial and x509-limbo differ, each with the reason why it stays so.

Rule: the lists only shrink. A case that is new here needs a better judge, not a line; one that is
no longer wrong is taken off, and the most goes down with it.
"""

MOST_ACCEPTS, MOST_REJECTS = 15, 6

_ANCHOR = "about the anchor itself, which the owner chose and whose flaw lets nobody else in"
_CN = "for a name the CN is never looked at, so what it says can mislead nobody here"
_CRITICAL = "an extension is understood and obeyed, whether or not it is marked critical"
_SUFFIX = (
    "needs the list of public suffixes, which a device does not have; a hub's name must end in "
    "hub.allowed_suffixes, and no public CA issues such a leaf"
)

ACCEPTS = {
    "rfc5280::nc::permitted-dns-match-noncritical": _CRITICAL + "; it is the anchor's",
    "rfc5280::nc::invalid-dnsname-leading-period": _ANCHOR + "; such constraints are in common use",
    "rfc5280::pc::ica-noncritical-pc": _CRITICAL,
    "webpki::aki::root-with-aki-missing-keyidentifier": _ANCHOR,
    "webpki::cn::punycode-not-in-san": _CN,
    "webpki::cn::utf8-vs-punycode-mismatch": _CN,
    "webpki::cn::not-in-san": _CN,
    "webpki::cn::case-mismatch": _CN,
    "webpki::eku::ee-critical-eku": _CRITICAL,
    "webpki::eku::ee-without-eku": "RFC 5280 sets no limit then, and the same suite wants it "
    "accepted as rfc5280::eku::ee-without-eku",
    "webpki::eku::root-has-eku": _ANCHOR,
    "webpki::san::public-suffix-multi-label-wildcard-san": _SUFFIX,
    "webpki::san::public-suffix-private-namespace-wildcard-san": _SUFFIX,
    "webpki::san::san-critical-with-nonempty-subject": _CRITICAL,
    "webpki::forbidden-rsa-not-divisible-by-8-in-root": _ANCHOR + "; 2052 bits are enough",
}

_LEAF_CA = "a leaf that is a CA could issue for other names: no server needs one"
_NO_ANCHOR = "only a self-signed CA is an anchor here, else a layer could hold a pin (R1)"
_ONE_PATH = (
    "OpenSSL follows the first issuer that fits, and does not come back for another one; a server "
    "that shows two of one name may be refused, never wrongly trusted"
)

REJECTS = {
    "cve::cve-2024-0567": _NO_ANCHOR + ": this one is signed by another CA; and 10 certificates "
    "are presented where 8 are the most",
    "pathlen::validation-ignores-pathlen-in-leaf": _LEAF_CA,
    "rfc5280::ca-as-leaf": _LEAF_CA,
    "rfc5280::nc::nc-forbids-alternate-chain-ica": _ONE_PATH,
    "rfc5280::nc::nc-forbids-same-chain-ica": _ONE_PATH,
    "rfc5280::root-and-intermediate-swapped": _NO_ANCHOR,
}
