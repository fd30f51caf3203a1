"""What several scenarios look for. Rule: only the words of the cloud's port and of the device."""

import base64
import time


def utc_s():
    """What time it is on the bench, the cloud's and the devices'."""
    return int(time.time())


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


def stage(status):
    """How far the vendor's bundle has come, None without one."""
    return status["trust"]["bundles"].get("vendor", {}).get("stage")


def hub_of(cloud, device):
    """The service, hub or hub2, that the device has its session with."""
    host, services = device.status()["endpoints"]["hub"]["host"], cloud.get("/services")
    return next(name for name in ("hub", "hub2") if services[name]["host"] == host)


def fails_over(cloud, hub, chain):
    """The machine that has the session dies without a word; another one presents the chain."""
    cloud.post(f"/{hub}/listen", {"up": False, "freeze": True})
    cloud.post(f"/{hub}/chain", {"name": chain})
    cloud.post(f"/{hub}/listen", {"up": True, "cut": False})


def moved_without_a_gap(cloud, device, chain, root):
    """Present a chain; the session comes to stand on its root by taking over its predecessor."""
    anchor, since = cloud.anchor(root), cloud.mark()
    cloud.post("/hub/chain", {"name": chain})
    device.see(f"a session under {root}", lambda status: under(status) == anchor, 40)
    ended = cloud.see("the old session ends", lambda row: row["what"] == "disconnected", since)
    assert ended["reason"].startswith("taken over"), ended


def inline(cloud):
    """The newest release as it fits a twin, which takes no name with a dot: [{"name", "text"}]."""
    shown = cloud.get("/mirror")
    roles = ["%d.%s.json" % (shown["versions"][role], role) for role in ("snapshot", "targets")]
    wanted = ["timestamp.json", shown["trust_sha256"] + ".trust.json", *roles]
    files = []
    for name, text in sorted(cloud.get("/mirror/files")["files"].items()):
        if name.endswith(".der") and name.count(".") == 2:
            files.append({"name": name, "text": text})
        elif name in wanted or name.endswith(".root.json"):
            files.append({"name": name, "text": base64.b64decode(text).decode()})
    return files
