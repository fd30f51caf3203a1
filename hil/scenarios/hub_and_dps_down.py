"""The hub is dead and does not even hang up, and DPS has too much to do to help.

A ping that nobody answers ends the session. The device backs off from the hub, waits at least as
long as DPS told it to, and is back when the hub is; what it was to send meanwhile waits in its
queue.
"""

from .seen import fault

RETRY_AFTER_S = 4
BUSY = {"name": "BUSY", "service": "dps", "at": "register", "retry_after_s": RETRY_AFTER_S}


def play(cloud, device):
    since = cloud.mark()
    cloud.post("/hub/listen", {"up": False, "freeze": True})
    device.see("the device backs off", backs_off, 30)
    cloud.post("/faults", BUSY)
    device.ask("reprovision")
    throttled = cloud.see("DPS answers 429", lambda r: registered(r, 429), since, 20)
    again = cloud.see("DPS is asked again", lambda r: registered(r, 202), throttled["n"], 60)
    waited_ms = again["t_ms"] - throttled["t_ms"]
    assert waited_ms >= 1000 * RETRY_AFTER_S, f"asked again after {waited_ms} ms"
    cloud.post("/hub/listen", {"up": True})
    device.reach("online", 60)


def backs_off(status):
    return status["agent"]["state"] == "waiting for hub" and fault(status) == "network"


def registered(row, status):
    return row["service"] == "dps" and row["what"] == "register" and row["status"] == status
