"""The device's certificate is renewed by an EST server while it sends, and no message is lost.

It makes a new key, has a certificate issued for it, and proves that beside the live session: the
hub accepts the new one before the old one is let go.
"""

from .seen import hub_of


def play(cloud, device):
    hub, since = hub_of(cloud, device), cloud.mark()
    cloud.post(f"/devices/{device.name}?hub={hub}", {"auth": "ca"})
    device.ask("identity", "roll")
    issued = cloud.see("the EST server issues", lambda row: row["what"] == "enroll"
                       and row["status"] == 200, since)  # fmt: skip
    device.see("the new certificate serves and nothing is under way", serves, 60)
    begun = cloud.see("the hub accepts it", lambda row: row["what"] == "connected"
                      and row["service"] == hub, issued["n"])  # fmt: skip
    assert begun["thumbprint"] == issued["thumbprint"], "not the new certificate"
    ended = cloud.rows("disconnected", since, device=device.name, service=hub)
    assert [row["reason"][:10] for row in ended] == ["taken over"], ended


def serves(status):
    identity = status["identity"]
    return (identity["active"], identity["roll"]) == ("a", "resting")
