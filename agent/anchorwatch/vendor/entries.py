"""trust.json as a tree: roots, their states, distrust, announcements.

Rule: functions of a tree, no files and no clock. An edit that takes an endpoint's last active root
away is refused whole, as a device would refuse it (R1).

Source: design, "Trust"; the device's reader of the same file is pki/bundle.py.
"""

from ..errors import ConfigError, RootsRejected, TrustError
from ..pki import pem
from ..pki.bundle import SCOPES
from ..pki.der import Certificate, anchor_entry
from . import dates

_HEX = "0123456789abcdef"


def one_root(data: bytes, where: str) -> tuple[dict, bytes]:
    """(entry, DER) of a PEM file with one root. TrustError, in the device's own words."""
    ders = pem.certificates(data)
    if len(ders) != 1:
        raise TrustError("PEM file with more than one certificate", "%s, %d" % (where, len(ders)),
                         "give one root in each file")
    known = anchor_entry(ders[0])
    return {name: known[name] for name in ("sha256", "spki_sha256", "name")}, ders[0]


def add(trust: dict, entry: dict, state: str, limits: dict) -> None:
    """A new root; `limits` are its scope and clouds, and dns where names restrict it."""
    if [a for a in trust["anchors"] if a["sha256"] == entry["sha256"]]:
        raise ConfigError("root is in the bundle already", entry["name"],
                          "change its state: stage, activate, sunset or retire")
    trust["anchors"].append(dict(entry, state=state, **limits))
    trust["anchors"].sort(key=lambda anchor: anchor["sha256"])


def find(trust: dict, word: str) -> dict:
    """The root whose SHA-256 begins with `word`."""
    found = [a for a in trust["anchors"] if a["sha256"].startswith(word.lower())]
    if len(found) != 1 or len(word) < 8:
        raise ConfigError("no single root of the bundle", word,
                          "add it first, or give more digits of what `show` lists")
    return found[0]


def set_state(trust: dict, sha256: str, state: str, dated: dict) -> bool:
    """Move a root to a state; `dated` are the dates that go with it. False: it is there already."""
    anchor = find(trust, sha256)
    fresh = {n: anchor[n] for n in anchor if n not in ("not_before", "leaf_not_before_max")}
    fresh.update(dated, state=state)
    if fresh == anchor:
        return False
    trust["anchors"] = [fresh if a is anchor else a for a in trust["anchors"]]
    return True


def forget(trust: dict, sha256: str) -> None:
    """Take a retired root out; devices then drop it from their reserve."""
    anchor = find(trust, sha256)
    if anchor["state"] != "retired":
        raise ConfigError("root is not retired", anchor["name"], "retire it, and wait 90 days")
    if [row for row in trust["announcements"] if row["root"] == anchor["sha256"]]:
        raise ConfigError("root is announced", anchor["name"], "withdraw the announcement first")
    trust["anchors"] = [a for a in trust["anchors"] if a is not anchor]


def distrust(trust: dict, row: dict) -> bool:
    """Distrust a certificate or a key; a row about the same one is replaced. False: no change."""
    if row in trust["distrust"]:
        return False
    trust["distrust"] = _but(trust["distrust"], row) + [row]
    return True


def withdraw(trust: dict, row: dict) -> bool:
    """Take a distrust back. False: there is none."""
    left = _but(trust["distrust"], row)
    changed = len(left) < len(trust["distrust"])
    trust["distrust"] = left
    return changed


def announce(trust: dict, endpoint: str, root: str, date_s: int) -> bool:
    """An endpoint will present a chain to `root` from a date on; one announcement an endpoint."""
    row = {"endpoint": endpoint, "root": find(trust, root)["sha256"], "date": dates.text(date_s)}
    if row in trust["announcements"]:
        return False
    others = [a for a in trust["announcements"] if a["endpoint"] != endpoint]
    trust["announcements"] = others + [row]
    return True


def silence(trust: dict, endpoint: str) -> bool:
    """Take the announcement for an endpoint back. False: there is none."""
    left = [a for a in trust["announcements"] if a["endpoint"] != endpoint]
    changed = len(left) < len(trust["announcements"])
    trust["announcements"] = left
    return changed


def clouds(trust: dict) -> list[str]:
    """Every cloud that a root which is not retired speaks of."""
    return sorted({cloud for a in trust["anchors"] if a["state"] != "retired"
                   for cloud in a["clouds"]})


def bare(trust: dict, endpoints, clouds: list[str], now_s: int) -> list[str]:
    """["hub of global", ...]: endpoints without an active root that nothing restricts."""
    return ["%s of %s" % (endpoint, cloud) for endpoint in endpoints for cloud in clouds
            if not [a for a in trust["anchors"] if _carries(trust, a, endpoint, cloud, now_s)]]


def check(before: dict, after: dict, now_s: int) -> None:
    """RootsRejected if an endpoint had its active root before the edit and has none after it."""
    known = clouds(before)
    poor = bare(before, SCOPES, known, now_s)
    lost = [row for row in bare(after, SCOPES, known, now_s) if row not in poor]
    if lost:
        raise _refusal(lost)


def check_whole(trust: dict, now_s: int) -> None:
    """RootsRejected if an endpoint that the bundle speaks of, or the hub, has no active root."""
    named = {"hub"}
    for anchor in trust["anchors"]:
        if anchor["state"] != "retired":
            named.update(anchor["scope"])
    lost = bare(trust, sorted(named), clouds(trust) or ["global"], now_s)
    if lost:
        raise _refusal(lost)


def is_fingerprint(word: str) -> bool:
    """64 hexadecimal digits."""
    return len(word) == 64 and not [c for c in word.lower() if c not in _HEX]


def short_name(name: str) -> str:
    """The common name of a readable one; its first part where it has none."""
    parts = name.split(", ")
    return next((part[3:] for part in parts if part.startswith("CN=")), parts[0])


def _refusal(lost: list[str]) -> RootsRejected:
    return RootsRejected("this would leave no trust anchor for", ", ".join(lost),
                         "add the new root first")


def _carries(trust: dict, anchor: dict, endpoint: str, cloud: str, now_s: int) -> bool:
    """Whether a root alone would keep an endpoint reachable."""
    if anchor["state"] != "active" or anchor.get("dns"):
        return False
    if endpoint not in anchor["scope"] or cloud not in anchor["clouds"]:
        return False
    if "not_before" in anchor and dates.utc_s(anchor["not_before"]) > now_s:
        return False
    hashes = (anchor["sha256"], anchor["spki_sha256"])
    return not [row for row in trust["distrust"] if _subject(row) in hashes]


def _subject(row: dict) -> str:
    return row.get("sha256") or row["spki_sha256"]


def _but(rows: list[dict], row: dict) -> list[dict]:
    return [other for other in rows if _subject(other) != _subject(row)]


def spki_sha256(der: bytes) -> str:
    """The fingerprint of a certificate's key."""
    return Certificate(der).spki_sha256
