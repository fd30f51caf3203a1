"""Would a chain that is yet to come be accepted here? Answered from the store, without a dial.

Rule: reads the trust store and a TLS profile, changes nothing, asks nobody; the answer is one word
of a closed list. Source: design sections 7 and 8; roots and chains as the services document them.
"""

from ..pki import judge
from . import rules
from .shapes import Any_, Items, MaybeTree, Tree
from .trust import Trust

# The closed list: each word, and what to do about it.
VERDICTS = {
    "ready": "",
    "reserve": "it connects at the third dial, by the reserve: activate the root before the day",
    "absent": "bring the root before the day: by a bundle, or `anchorwatch roots add FILE`",
    "out-of-scope": "a layer has the root, but not for this endpoint or name: widen its scope",
    "distrusted": "a layer distrusts the root: `anchorwatch roots explain` says which",
    "expired": "the root has ended by then: a chain under another root is needed",
    "sunset": "the root is good for older leaves only: bring the root that follows it",
    "on-hold": "the root is distrusted and held for its known issuers: bring another root",
    "suites": "[tls] suites offers none for this kind of key: try any",
    "not-ecc": "[tls] all_ecc refuses the RSA key in this chain: turn it off, or ask for ECC",
    "fragment": "max_fragment = require, and this service does not shorten records, or this device "
    "cannot ask for it: use prefer",
    "chain-too-long": "no server is trusted for so many certificates or bytes: ask for fewer",
    "chain-incomplete": "the leaf's issuer is missing: the server must present it too",
    "chain-bad-signature": "a certificate was not signed by the one above it: get the chain anew",
    "chain-refused": "the TLS library refuses the chain: compare it with RFC 5280",
}
# What the judge says of a presented chain is said with this before it, or as it is.
CHAIN = "chain-"
_AS_IT_IS = ("not-ecc", "chain-too-long", "on-hold", "sunset")
_JUDGED = tuple([w for w in judge.VERDICTS if w != "ok" and w not in _AS_IT_IS])
VERDICTS.update({CHAIN + w: "the chain is at fault: " + judge.VERDICTS[w] for w in _JUDGED})
CONNECTS = ("ready", "reserve")

_BOTH = ("hub", "dps")
_SUITES = {"rsa": ("any", "rsa"), "ec": ("any", "ecdsa")}
# Who is known to shorten records when asked to; DPS is documented without it.
_SHORTENS = ("hub",)

G2 = "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f"
G3 = "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0"
MS_RSA = "c741f70f4b2a8d88bf2e71c14122ef53ef10eba0cfa5e64cfa20f418853073e0"
MS_ECC = "358df39d764af9e1b766e9c972df352ee15cfac227af6ad1d70e8e4a6edcba02"
BALTIMORE = "16af57a9f676b0ab126095aa5ebadef22ab31119d644ac95cd4b93dbf3f26aeb"
G1 = "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161"

# Public roots: name, kind of key, end (utc_s).
ROOTS = {
    BALTIMORE: ("Baltimore CyberTrust Root", "rsa", 1747094340),
    G1: ("DigiCert Global Root CA", "rsa", 1952035200),
    G2: ("DigiCert Global Root G2", "rsa", 2147169600),
    G3: ("DigiCert Global Root G3", "ec", 2147169600),
    MS_RSA: ("Microsoft RSA Root Certificate Authority 2017", "rsa", 2289337223),
    MS_ECC: ("Microsoft ECC Root Certificate Authority 2017", "ec", 2289338164),
}
# Chains that a service presents, or did, or may: the root, the leaf's kind of key, how many
# certificates come, and where: DPS has no ECC certificate.
_CHAINS = (
    ("baltimore", BALTIMORE, "rsa", 2, _BOTH),
    ("g2-rsa", G2, "rsa", 2, _BOTH),
    ("g2-rsa-long", G2, "rsa", 3, _BOTH),
    ("g2-ecc", G2, "ec", 2, ("hub",)),
    ("g3-ecc", G3, "ec", 2, ("hub",)),
    ("msrsa2017", MS_RSA, "rsa", 2, _BOTH),
    ("msecc2017", MS_ECC, "ec", 2, ("hub",)),
    ("sovereign", G1, "rsa", 2, _BOTH),
)
ANNOUNCED = "announced"


def profiles() -> Tree:
    """{name: chain}; a chain is {"root", "name", "key", "ecc", "not_after", "certificates",
    "endpoints"}.

    key   the leaf's: rsa | ec | "" where that is not known; ecc  may every key be elliptic
    """
    found = {}
    for name, root, key, certificates, endpoints in _CHAINS:
        chain = _of_root(root, None)
        chain.update({"key": key, "certificates": certificates, "endpoints": list(endpoints)})
        chain["ecc"] = chain["ecc"] and key == "ec"
        found[name] = chain
    return found


def announced(trust: Trust) -> Items:
    """The chains that the bundles in force announce, the nearest first; with "date", utc_s."""
    found = []
    rows: Items = []
    for name in rules.SIGNED:
        rows += trust.layer(name).get("announcements", [])
    for row in rows:
        chain = _of_root(row["root"], trust.entry(row["root"]))
        chain.update({"endpoints": [row["endpoint"]], "date": row["date"]})
        found.append(chain)
    found.sort(key=lambda chain: (chain["date"], chain["endpoints"], chain["root"]))
    return found


def _of_root(root: str, entry: MaybeTree) -> Tree:
    """What follows from a root alone. One of RSA may sign either kind of leaf."""
    name, kind, not_after = ROOTS.get(root) or ("", "", None)
    if entry is not None:
        kind = "ec" if entry["key"][:3] == "ec-" else "rsa"
        name, not_after = name or entry["name"], entry["not_after"]
    key = "ec" if kind == "ec" else ""
    return {"root": root, "name": name, "key": key, "ecc": kind != "rsa", "not_after": not_after}


def verdict(trust: Trust, where: Tree, chain: Tree) -> str:
    """The word of VERDICTS for a chain at an endpoint.

    where  {"endpoint", "host", "profile", "utc_s"}: host "" for any; utc_s the time it is about
    """
    found = _trusted(trust, where, chain)
    if found not in CONNECTS:
        return found
    return policy(where["endpoint"], where["profile"], chain) or found


def _trusted(trust: Trust, where: Tree, chain: Tree) -> str:
    root, endpoint, host = chain["root"], where["endpoint"], where["host"]
    if trust.distrusted(root):
        return "distrusted"
    if _ended(trust, where, chain):
        return "expired"
    limit = trust.anchors.limits(endpoint, host, [root]).get(root) or {}
    youngest = limit.get("leaf_not_before_max")
    if youngest is not None and where["utc_s"] > youngest:
        return "sunset"  # the leaf that is yet to come will be younger
    if root in trust.offered(endpoint, host):
        return "ready"
    entry = trust.entry(root)
    if root in trust.reserve(endpoint, host):
        layered = trust.layer_of(root) in rules.LAYERS
        begun = entry is not None and layered and rules.in_force(entry, where["utc_s"])
        return "ready" if begun else "reserve"
    return "absent" if entry is None else "out-of-scope"


def _ended(trust: Trust, where: Tree, chain: Tree) -> bool:
    """By its end alone the proven root of an endpoint is not taken away (R2)."""
    entry = trust.entry(chain["root"])
    if entry is None:
        return bool(chain["not_after"] is not None and where["utc_s"] > chain["not_after"])
    proven = trust.evidence.proven.get(where["endpoint"]) == chain["root"]
    return rules.expired(entry, where["utc_s"]) and not proven


def policy(endpoint: str, profile: Tree, chain: Tree) -> str:
    """The word for what the TLS profile refuses; "" for nothing."""
    if chain["key"] and profile["suites"] not in _SUITES[chain["key"]]:
        return "suites"
    if profile["all_ecc"] and not chain["ecc"]:
        return "not-ecc"
    if profile["max_fragment"] == "require" and endpoint not in _SHORTENS:
        return "fragment"
    long = chain.get("certificates", 0) > judge.DEPTH_AT_MOST
    return "chain-too-long" if long or chain.get("bytes", 0) > judge.SIZE_AT_MOST else ""


def of_chain(word: str) -> str:
    """The word for what the judge or a TLS library says of a presented chain."""
    if word in _AS_IT_IS:
        return word
    return CHAIN + word if CHAIN + word in VERDICTS else "chain-refused"


def reported(trust: Trust, profile_of: Any_, hosts: MaybeTree = None) -> Tree:
    """`ready` of the reported properties: {"hub": {"root_cb3ccbb76031e5e0": "ready"}}.

    A root is named by the begin of its SHA-256: a device that lacks it knows no other name, and a
    query over the fleet needs the same one everywhere. It is judged at the announced date.

    profile_of  called with an endpoint, gives its TLS profile; hosts  {endpoint: host}
    """
    out: Tree = {}
    for chain in announced(trust):
        endpoint = chain["endpoints"][0]
        if endpoint in trust.endpoints:
            where = {"endpoint": endpoint, "profile": profile_of(endpoint), "utc_s": chain["date"]}
            where["host"] = (hosts or {}).get(endpoint) or ""
            told = out.setdefault(endpoint, {})
            told["root_" + chain["root"][:16]] = verdict(trust, where, chain)
    return out
