"""The hub moves to another address while its name still leads to the old one.

Nobody listens there any more, so second handshakes fail; the session that is open stays open. Once
the name follows and three looks agree that the address is gone, the session moves, without a gap.
"""

from .seen import at


def play(cloud, device):
    hub, since = cloud.get("/services")["hub"], cloud.mark()
    address = cloud.ready["net"] + ".12"
    looks = counted(device.status())
    cloud.post("/hub/listen", {"up": True, "address": address, "cut": False})
    device.see("two looks at the old address", lambda s: counted(s) >= looks + 2, 40)
    assert at(device.status()) == hub["address"], "the live session stays where it is"
    cloud.post("/resolve", {
        f"{hub['host']}:8883": [f"{address}:{hub['port']}"],
        f"{hub['host']}:443": [f"{address}:{hub['https_port']}"],
    })  # fmt: skip
    device.see(f"a session at {address}", lambda status: at(status) == address, 60)
    ended = cloud.see("the old session ends", lambda row: row["what"] == "disconnected", since)
    assert ended["reason"].startswith("taken over"), ended


def counted(status):
    return status["counters"].get("looks", 0)
