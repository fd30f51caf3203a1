"""A bundle that lacks the root in use is taken back by itself, and the device goes on as before.

It comes whole through the device's twin, rightly signed by who forgot a root. The hub's chain fits
the roots from before and not the candidate: that speaks against it. The version stays noted as
rolled back, the roots from before stay on offer, and the session comes back under the same root.
"""

from .seen import inline, stage, under

FORGETS = {"g2": "active", "baltimore": "active"}


def play(cloud, device):
    anchor = under(device.status())
    assert anchor == cloud.anchor("unknown2"), "only the last bundle brought this root"
    cloud.post("/mirror", {"release": {"roots": FORGETS}})
    version, since = cloud.get("/mirror")["versions"]["targets"], cloud.mark()
    wanted = {"version": version, "url": None, "files": inline(cloud)}
    patch = {"desired": {"anchorwatch": {"bundle": wanted}}}
    cloud.post(f"/devices/{device.name}/twin", patch)
    device.see("the bundle is taken", lambda s: bundle(s)["version"] == version, 60)
    cloud.post(f"/devices/{device.name}/drop", {"reason": "the session ends"})
    device.see("the bundle is rolled back", lambda s: stage(s) == "reverted", 60)
    cloud.see("a new session", lambda row: (row["what"], row["service"]) == ("connected", "hub"),
              since, 60)  # fmt: skip
    device.see("it stands on the same root", lambda s: under(s) == anchor, 60)
    status = device.status()
    assert bundle(status)["version"] == version and bundle(status)["why"], bundle(status)
    assert anchor in status["endpoints"]["hub"]["offered"]
    assert not cloud.rows("get", since), "the mirror was asked for what came with the twin"


def bundle(status):
    return status["trust"]["bundles"]["vendor"]
