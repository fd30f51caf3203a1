"""What the agent says of itself: the status page and the reported properties. Rule: reads, changes
nothing.

Source: contract section 4, design section 12.
"""

from . import rollpage, rules
from .endpoints import OWN, has_own_roots
from .lifecycle import REGISTERING, WAITING_FOR_DPS
from .shapes import Event, MaybeEvent, MaybeTree, Tree, Watch
from .trust import Trust

AGENT = "0.1.0"


def page(watch: Watch, now: int) -> Tree:
    """The status, schema 1; {"queue", "agent.version"} are the driver's."""
    connection, device = watch.connection, watch.device
    since = connection.online_since_ms
    return {
        "schema": 1,
        "agent": {
            "version": AGENT,
            "state": connection.state,
            "mode": device.config.mqtt.mode,
            "reduced": device.reduced,
            "since_s": None if since is None else (now - since) // 1000,
        },
        "machines": dict(watch.states(), identity=_standing(watch, now)),
        "endpoints": {e: _endpoint(watch, e, now) for e in device.watched()},
        "gap": [_gap(watch, e) for e in sorted(watch.trust.gaps)],
        "fault": fault(watch, now),
        "trust": _store(watch.trust),
        "warnings": watch.warnings.listing(now),
        "deadlines": _deadlines(watch, now),
        "budgets": device.budgets,
        "clock": {
            "standing": watch.clock.standing,
            "floor_utc_s": watch.clock.floor_utc_s,
            "judged_at_utc_s": watch.clock.judge_utc_s(now),
        },
        "identity": rollpage.page(watch.identity),
        "counters": device.counters,
    }


def fault(watch: Watch, now: int) -> MaybeTree:
    """The fault that holds now: of what the session waits for, then of the second look."""
    session = [watch.hub_faults, watch.dps_faults]
    known = [faults.present["class"] for faults in session if faults.present is not None]
    both_refuse = known == ["identity", "identity"]  # and the hub's word has no reason in it
    if both_refuse or watch.connection.state in (WAITING_FOR_DPS, REGISTERING):
        session.reverse()
    probes = [watch.probe_faults[e] for e in sorted(watch.probe_faults)]
    for faults in session + [watch.look_faults] + probes:
        held = faults.now(now)
        if held is not None:
            present = {k: held[k] for k in held if k != "wait_ms"}
            due = watch.connection.wake_at
            present["next_in_ms"] = max(0, due - now) if due is not None else None
            return present
    return None


def reported(watch: Watch) -> Tree:
    """The reported properties under `anchorwatch`: only what changes rarely."""
    trust, watched = watch.trust, watch.device.watched()
    seen: Tree = {e: evidence(watch, e) for e in watched}
    told: Tree = {
        "version": AGENT,
        "trust": {e: _anchor(watch, e, seen[e]) for e in seen if seen[e] is not None},
        "gap": {e: _told(trust.gaps[e]) if e in trust.gaps else None for e in watched},
        "clock": watch.clock.standing,
        "crashes": {"recent": watch.device.crashes, "reduced": watch.device.reduced},
        "identity": rollpage.reported(watch.identity),
    }
    if trust.bundles:
        told["bundle"] = {layer: _rarely(trust, layer) for layer in trust.bundles}
    ready = _ready(watch)
    if ready:
        told["ready"] = ready
    return told


def _ready(watch: Watch) -> Tree:
    """Of what the bundles in force announce."""
    if not [n for n in rules.SIGNED if watch.trust.layer(n).get("announcements")]:
        return {}
    from . import readiness

    return readiness.reported(watch.trust, watch.device.profile, {"hub": watch.device.hub})


def _rarely(trust: Trust, layer: str) -> Tree:
    from . import explain

    found = explain.bundle(trust, layer)
    return {name: found[name] for name in ("stage", "version", "in_force", "stale", "why")}


def _store(trust: Trust) -> Tree:
    """The root store as the status shows it: bundles, what is held, what was found in need."""
    from . import explain

    anchors = trust.anchors
    return {
        "bundles": {layer: explain.bundle(trust, layer) for layer in trust.bundles},
        "holds": {e: sorted(anchors.holds[e]) for e in anchors.holds},
        "held_until_utc_s": {
            e: max([held["until_s"] for held in anchors.holds[e].values()]) for e in anchors.holds
        },
        "emergency": {e: sorted(anchors.emergency[e]) for e in anchors.emergency},
        "reserve": {e: trust.reserve(e) for e in trust.endpoints},
        "expired": [row for row in explain.listing(trust) if row["expired_days"] > 0],
    }


def _anchor(watch: Watch, endpoint: str, seen: Event) -> Tree:
    return {"anchor": seen.anchor, "layer": _layer(watch, endpoint, seen)}


def _layer(watch: Watch, endpoint: str, seen: Event) -> str:
    """Which layer brings the anchor that was seen at an endpoint, or which setting."""
    return OWN if has_own_roots(watch.config, endpoint) else watch.trust.layer_of(seen.anchor)


def _told(gap: Tree) -> Tree:
    return {"presented": gap["presented"], "verdict": gap["verdict"]}


def evidence(watch: Watch, endpoint: str) -> MaybeEvent:
    """The last verified handshake with an endpoint that led to something."""
    if endpoint == "hub":
        return watch.connection.evidence
    probed, probed_ms = watch.reverify.seen.get(endpoint) or (None, -1)
    if endpoint == "dps" and watch.registration.evidence_ms > probed_ms:
        return watch.registration.evidence
    return probed


def _standing(watch: Watch, now: int) -> str:
    """The active slot's standing at the judged time; without a clock nothing is too early."""
    credential, utc_s = watch.device.credential, watch.clock.judge_utc_s(now)
    if not credential:
        return "none"
    if credential["not_after"] is not None and utc_s > credential["not_after"]:
        return "expired"
    begins = credential["not_before"]
    if begins is not None and watch.clock.utc(now) is not None and utc_s < begins:
        return "not yet valid"
    return "active"


def _taken_utc_s(watch: Watch, endpoint: str, seen: Event, now: int) -> int | None:
    utc_s, at_ms = watch.clock.utc(now), watch.taken.at_ms(endpoint, seen)
    return None if utc_s is None or at_ms is None else utc_s - (now - at_ms) // 1000


def _endpoint(watch: Watch, endpoint: str, now: int) -> Tree:
    trust, seen = watch.trust, evidence(watch, endpoint)
    about: Tree = {
        "host": watch.device.host(endpoint) or None,
        "transport": watch.device.transports.of(endpoint),
        "offered": trust.offered(endpoint),
    }
    if seen is None:
        return about
    about.update(
        {
            "address": seen.address,
            "anchor": seen.anchor,
            "layer": _layer(watch, endpoint, seen),
            "chain": seen.names,
            "version": seen.tls["version"],
            "suite": seen.tls["suite"],
            "fragment": seen.tls["fragment"],
            "at_utc_s": _taken_utc_s(watch, endpoint, seen, now),
            "evidence_days": trust.evidence.days(endpoint, seen.anchor),
        }
    )
    return about


def _gap(watch: Watch, endpoint: str) -> Tree:
    from .remedies import of_gap

    gap = watch.trust.gaps[endpoint]
    return {
        "endpoint": endpoint,
        "presented": gap["presented"],
        "verdict": gap["verdict"],
        "since_utc_s": gap["since_utc_s"],
        "remedy": of_gap(gap["verdict"], has_own_roots(watch.config, endpoint)),
    }


def _deadlines(watch: Watch, now: int) -> Tree:
    due = {
        "connection": watch.connection.wake_at,
        "reverify": watch.reverify.wake_at,
        "token": watch.connection.token_due_ms,
        "clock": watch.clock.wake_at,
    }
    return {n + "_in_ms": max(0, t - now) for n, t in due.items() if t is not None}
