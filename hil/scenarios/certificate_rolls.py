"""The device's certificate is renewed while it sends, and no message is lost.

It makes a new key and has a certificate issued for it, by EST or by DPS as it is configured. It
proves that beside the live session: the hub accepts the new one before the old one is let go. A
board with room for one session ends that session itself, and keeps the old certificate until then.
"""

from .seen import hub_of


def play(cloud, device):
    hub, since = hub_of(cloud, device), cloud.mark()
    cloud.post(f"/devices/{device.name}?hub={hub}", {"auth": "ca"})
    device.ask("identity", "roll")
    issued = cloud.see("a certificate is issued", issues, since, 60)
    device.see("the new certificate serves and nothing is under way", serves, 60)
    begun = cloud.rows("connected", issued["n"], service=hub)[-1]
    assert begun["thumbprint"] == issued["thumbprint"], "not the new certificate"
    ended = cloud.rows("disconnected", since, device=device.name, service=hub)
    assert [row["reason"][:10] for row in ended] in (["taken over"], ["asked", "asked"]), ended


def issues(row):
    """EST answers a request; DPS issues in a registration."""
    return row["what"] == "issued" or (row["what"], row.get("status")) == ("enroll", 200)


def serves(status):
    identity = status["identity"]
    return (identity["active"], identity["roll"]) == ("a", "resting")
