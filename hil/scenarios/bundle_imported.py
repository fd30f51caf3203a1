"""The operator has the device import a signed bundle, which is tried before it is committed.

The device verifies what it fetched and goes on as before. Its next handshakes are the trial, under
a root that old and new bundle share. Then the hub's machine is replaced by one with the new root,
and the device is back under it.
"""

from .seen import fails_over, hub_of, stage, under

ROOTS = {"g2": "active", "baltimore": "active", "unknown2": "active"}


def play(cloud, device):
    anchor, hub = cloud.anchor("unknown2"), hub_of(cloud, device)
    cloud.post("/mirror", {"release": {"roots": ROOTS}})
    mirror = cloud.get("/mirror")
    assert anchor not in device.status()["endpoints"]["hub"]["offered"]
    device.ask("roots", "import", mirror["url"])
    device.see("the bundle is taken", lambda status: stage(status) is not None, 60)
    cloud.post(f"/devices/{device.name}/drop", {"reason": "the session ends"})
    device.see("the bundle is committed", lambda s: stage(s) == "committed", 60)
    bundle = device.status()["trust"]["bundles"]["vendor"]
    assert bundle["version"] == mirror["versions"]["targets"], bundle
    assert "trial" in device.ask("roots", "history")
    device.reach("online", 60)
    fails_over(cloud, hub, "unknown2-rsa")
    device.see("a session under the imported root", lambda s: under(s) == anchor, 60)
