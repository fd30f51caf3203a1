"""The device's certificate and key are replaced, and the hub does not know the new one yet.

The hub refuses it as unauthorized. That sends the device up its ladder: patience, a look at itself,
then DPS, which writes the new thumbprint into the hub. The device is back by itself.
"""

from hil.bench.credential import issue


def play(cloud, device):
    since = cloud.mark()
    certificate, key = issue(device.name)
    cloud.post(f"/enrollments/{device.name}", {"primary": certificate.decode()})
    device.put("device.key", key)
    device.put("device.pem", certificate)
    cloud.post(f"/devices/{device.name}/drop", {"reason": "the session ends"})
    refused = cloud.see("the hub refuses it", lambda r: r["what"] == "connect refused", since)
    cloud.see("DPS assigns", lambda row: row["what"] == "assigned", refused["n"], 40)
    device.reach("online", 30)
    back = cloud.see("the hub accepts it", lambda r: r["what"] == "connected"
                     and r["service"] == "hub" and r["n"] > refused["n"], refused["n"])  # fmt: skip
    assert back["thumbprint"] == refused["thumbprint"], "not the new certificate"
