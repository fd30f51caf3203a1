"""A device that has never been on asks DPS for its hub, goes there, and is online.

It knows its ID scope, its certificate and a few roots, and no hub.
"""


def play(cloud, device):
    since = cloud.mark()
    device.start()
    cloud.see("DPS assigns a hub", lambda row: row["what"] == "assigned", since)
    device.reach("online", 30)
    sent_by = device.status()["endpoints"]["hub"]["anchor"]
    assert sent_by == cloud.anchor("baltimore"), sent_by
