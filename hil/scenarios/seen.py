"""What several scenarios look for. Rule: only the words of the cloud's port and of the device."""


def under(status):
    """The anchor of the live session, None without one."""
    online = status["agent"]["state"] == "online"
    return status["endpoints"]["hub"].get("anchor") if online else None


def at(status):
    """The address of the live session, None without one."""
    online = status["agent"]["state"] == "online"
    return status["endpoints"]["hub"].get("address") if online else None


def fault(status):
    """The class of the present fault, None when all is well."""
    return (status["fault"] or {}).get("class")


def moved_without_a_gap(cloud, device, chain, root):
    """Present a chain; the session comes to stand on its root by taking over its predecessor."""
    anchor, since = cloud.anchor(root), cloud.mark()
    cloud.post("/hub/chain", {"name": chain})
    device.see(f"a session under {root}", lambda status: under(status) == anchor, 40)
    ended = cloud.see("the old session ends", lambda row: row["what"] == "disconnected", since)
    assert ended["reason"].startswith("taken over"), ended
