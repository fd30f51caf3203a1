"""What the agent says of itself: the status page and the reported properties. Rule: reads, changes
nothing.

Source: contract section 4, design section 12.
"""

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
        "machines": watch.states(),
        "endpoints": {e: _endpoint(watch, e) for e in watch.trust.endpoints},
        "gap": [_gap(e, watch.trust.gaps[e]) for e in sorted(watch.trust.gaps)],
        "fault": fault(watch, now),
        "deadlines": _deadlines(watch, now),
        "budgets": device.budgets,
        "clock": {
            "standing": watch.clock.standing,
            "floor_utc_s": watch.clock.floor_utc_s,
            "judged_at_utc_s": watch.clock.judge_utc_s(now),
        },
        "identity": {
            "active": device.credential.get("slot"),
            "trial": None,
            "slots": {device.credential.get("slot", "a"): device.credential},
        },
        "counters": device.counters,
    }


def fault(watch: Watch, now: int) -> MaybeTree:
    """The fault that holds now: of what the session waits for, then of the second look."""
    session = [watch.hub_faults, watch.dps_faults]
    if watch.connection.state in (WAITING_FOR_DPS, REGISTERING):
        session.reverse()
    for faults in session + [watch.look_faults, watch.probe_faults]:
        held = faults.now(now)
        if held is not None:
            present = {k: held[k] for k in held if k != "wait_ms"}
            due = watch.connection.wake_at
            present["next_in_ms"] = max(0, due - now) if due is not None else None
            return present
    return None


def reported(watch: Watch) -> Tree:
    """The reported properties under `anchorwatch`: only what changes rarely."""
    trust = watch.trust
    seen: Tree = {e: _evidence(watch, e) for e in trust.endpoints}
    return {
        "version": AGENT,
        "trust": {e: _anchor(trust, seen[e]) for e in seen if seen[e] is not None},
        "gap": {e: _told(trust.gaps[e]) if e in trust.gaps else None for e in trust.endpoints},
        "clock": watch.clock.standing,
        "crashes": {"recent": watch.device.crashes, "reduced": watch.device.reduced},
        "identity": {
            "fingerprint": watch.device.credential.get("fingerprint"),
            "not_after": watch.device.credential.get("not_after"),
        },
    }


def _anchor(trust: Trust, seen: Event) -> Tree:
    return {"anchor": seen.anchor, "layer": trust.layer_of(seen.anchor)}


def _told(gap: Tree) -> Tree:
    return {"presented": gap["presented"], "verdict": gap["verdict"]}


def _evidence(watch: Watch, endpoint: str) -> MaybeEvent:
    if endpoint == "hub":
        return watch.connection.evidence
    return watch.registration.evidence or watch.reverify.dps_seen


def _endpoint(watch: Watch, endpoint: str) -> Tree:
    trust, seen = watch.trust, _evidence(watch, endpoint)
    config = watch.config
    host = watch.device.hub if endpoint == "hub" else config.dps.host
    about: Tree = {
        "host": host,
        "transport": config.mqtt.transport,
        "offered": trust.offered(endpoint),
    }
    if seen is None:
        return about
    about.update(
        {
            "address": seen.address,
            "anchor": seen.anchor,
            "layer": trust.layer_of(seen.anchor),
            "chain": seen.names,
            "version": seen.tls["version"],
            "suite": seen.tls["suite"],
            "fragment": seen.tls["fragment"],
            "evidence_days": trust.evidence.days(endpoint, seen.anchor),
        }
    )
    return about


def _gap(endpoint: str, gap: Tree) -> Tree:
    return {
        "endpoint": endpoint,
        "presented": gap["presented"],
        "verdict": gap["verdict"],
        "since_utc_s": gap["since_utc_s"],
    }


def _deadlines(watch: Watch, now: int) -> Tree:
    due = {
        "connection": watch.connection.wake_at,
        "reverify": watch.reverify.wake_at,
        "token": watch.connection.token_due_ms,
        "clock": watch.clock.wake_at,
    }
    return {n + "_in_ms": max(0, t - now) for n, t in due.items() if t is not None}
