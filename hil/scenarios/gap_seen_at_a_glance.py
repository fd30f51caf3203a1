"""A root that the device lacks is told while the session is up; a bundle comes before its end.

A board with room for one session cannot shake hands beside it. It looks at the chain in clear,
tells the hub over the session that still works, and fetches the bundle that its vendor has
published. When the session ends at last, the device returns under the new root at once.
"""

from .seen import stage, under


def play(cloud, device):
    anchor, since = cloud.anchor("unknown"), cloud.mark()
    cloud.post("/hub/chain", {"name": "unknown-rsa"})
    device.ask("reverify")
    cloud.see("the gap is reported to the hub", lambda row: row["what"] == "reported"
              and gap_of(row["patch"]), since, 60)  # fmt: skip
    assert not cloud.rows("disconnected", since, device=device.name), "the session lives"
    published = {"g2": "active", "baltimore": "active", "unknown": "active"}
    cloud.post("/mirror", {"release": {"roots": published}})
    device.see("the bundle has come", lambda status: stage(status) is not None, 120)
    assert device.state() == "online"
    cloud.post(f"/devices/{device.name}/drop", {"reason": "the session ends"})
    device.see("a session under the published root", lambda s: under(s) == anchor, 90)
    device.see("the bundle is committed", lambda s: stage(s) == "committed", 60)
    device.see("the gap is closed", lambda s: not s["gap"])


def gap_of(patch):
    return (patch.get("anchorwatch", {}).get("gap") or {}).get("hub")
