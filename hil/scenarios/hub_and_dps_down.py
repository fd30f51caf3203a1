"""The hub is down, and DPS has too much to do to say whether the device belongs elsewhere.

The device backs off from the hub, waits at least as long as DPS told it to, and comes back when
there is something to come back to. What it was told to send meanwhile waits in its queue.
"""

from .seen import fault

RETRY_AFTER_S = 4


def play(cloud, device):
    since = cloud.mark()
    cloud.post("/hub/listen", up=False)
    device.see("the device backs off", lambda status: fault(status) == "network", 20)
    cloud.post("/faults", name="BUSY", service="dps", at="register", retry_after_s=RETRY_AFTER_S)
    device.ask("reprovision")
    throttled = cloud.see("DPS answers 429", lambda r: registered(r, 429), since, 20)
    again = cloud.see("DPS is asked again", lambda r: registered(r, 202), throttled["n"], 60)
    waited_ms = again["t_ms"] - throttled["t_ms"]
    assert waited_ms >= 1000 * RETRY_AFTER_S, f"asked again after {waited_ms} ms"
    cloud.post("/hub/listen", up=True)
    device.reach("online", 60)


def registered(row, status):
    return row["service"] == "dps" and row["what"] == "register" and row["status"] == status
