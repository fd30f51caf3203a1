"""The hub goes back to a root that a committed bundle has retired, and the device comes back too.

No other layer has that root, no new bundle is published and nobody visits. Two second handshakes
fit no root on offer, then the session is lost. The third handshake may try what was retired: it
finds the root, and from then on the root stays on offer as found in need.
"""

from .seen import fails_over, hub_of, stage, under

BEFORE = {"g2": "active", "baltimore": "active", "unknown2": "active"}
AFTER = {**BEFORE, "unknown2": "retired"}


def play(cloud, device):
    hub, g2, retired = hub_of(cloud, device), cloud.anchor("g2"), cloud.anchor("unknown2")
    bring(cloud, device, BEFORE)
    cloud.post(f"/{hub}/chain", {"name": "g2-rsa"})
    device.see("a session under g2", lambda status: under(status) == g2, 60)
    bring(cloud, device, AFTER)
    offered = device.status()["endpoints"]["hub"]["offered"]
    assert retired not in offered, "a root that is proven is no test of the reserve"
    assert retired in device.status()["trust"]["reserve"]["hub"]

    misfits = misfitting(device.status())
    cloud.post(f"/{hub}/chain", {"name": "unknown2-rsa"})
    device.see("two handshakes fit no root", lambda s: misfitting(s) >= misfits + 2, 60)
    fails_over(cloud, hub, "unknown2-rsa")
    device.see("a session under the retired root", lambda s: under(s) == retired, 150)
    assert retired in device.status()["trust"]["emergency"]["hub"]
    assert version(device.status()) == version_out(cloud)


def bring(cloud, device, roots):
    """Publish, tell the device through its twin where, and wait for the commit."""
    cloud.post("/mirror", {"release": {"roots": roots}})
    wanted = {"version": version_out(cloud), "url": cloud.get("/mirror")["url"]}
    patch = {"desired": {"anchorwatch": {"bundle": wanted}}}
    cloud.post(f"/devices/{device.name}/twin", patch)
    device.see("the bundle is committed", lambda status: stage(status) == "committed"
               and version(status) == wanted["version"], 60)  # fmt: skip


def misfitting(status):
    return status["counters"].get("fault_trust", 0)


def version_out(cloud):
    return cloud.get("/mirror")["versions"]["targets"]


def version(status):
    return status["trust"]["bundles"]["vendor"]["version"]
