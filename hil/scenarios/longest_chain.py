"""A DPS that shows the longest chain there is, in whole records, brings a new device online.

Leaf, issuer, and a root of Microsoft's that DigiCert has signed, all but the leaf with RSA keys of
4096 bits. DPS is documented without the extension for short records, so none are asked of it.
"""

CHAIN, CERTIFICATES = "g2-rsa-long", 3


def play(cloud, device):
    cloud.post("/dps/chain", {"name": CHAIN})
    since = cloud.mark()
    device.start()
    cloud.see("DPS assigns a hub", lambda row: row["what"] == "assigned", since)
    device.reach("online", 30)
    seen = device.status()["endpoints"]["dps"]
    assert seen["anchor"] == cloud.anchor("g2"), seen
    assert len(seen["chain"]) == CERTIFICATES + 1, seen
    assert seen["fragment"]["negotiated"] is None, seen
