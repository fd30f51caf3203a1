"""The hub fails over to a root that the device lacks; with no session left, it heals itself.

No word of the cloud reaches the device any more. Then the vendor publishes a signed bundle on a
file server with plain HTTP. The device fetches it, probes with it, tries it, commits it, and is
online: nobody visits, and what it was to send meanwhile waits in its queue.
"""

from .seen import fails_over, hub_of, stage, under


def play(cloud, device):
    anchor, since = cloud.anchor("unknown2"), cloud.mark()
    assert anchor not in device.status()["endpoints"]["hub"]["offered"]
    fails_over(cloud, hub_of(cloud, device), "unknown2-rsa")
    device.see("the session is lost", lambda status: under(status) is None)
    published = {"g2": "active", "baltimore": "active", "unknown2": "active"}
    cloud.post("/mirror", {"release": {"roots": published}})
    device.see("a session under the published root", lambda s: under(s) == anchor, 150)
    device.see("the bundle is committed", lambda s: stage(s) == "committed")
    cloud.see("the device refused the hub", lambda row: row["what"] == "tls failed", since)
    fetched = cloud.see("the bundle was fetched", lambda r: r["what"] == "get"
                        and r["file"].endswith("trust.json"), since)  # fmt: skip
    assert (fetched["whole"], fetched["server_name"]) == (True, None), "not over plain HTTP"
