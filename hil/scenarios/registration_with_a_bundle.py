"""A registration is asked for while a signed bundle waits for its trial.

A board with room for one session ends it for the registration, and has no link for the bundle at
any other time. So the bundle goes first, and the device registers under what it says.
"""

from .seen import stage

ROOTS = {"g2": "active", "baltimore": "active", "unknown": "active", "unknown2": "active"}


def play(cloud, device):
    since = cloud.mark()
    cloud.post("/mirror", {"release": {"roots": ROOTS}})
    mirror = cloud.get("/mirror")
    device.ask("roots", "import", mirror["url"])
    newest = mirror["versions"]["targets"]
    device.see("the bundle has come", lambda status: version(status) == newest, 60)
    assert not cloud.rows("disconnected", since, device=device.name), "the session lives"
    device.ask("reprovision")
    cloud.see("DPS assigns the hub", lambda row: row["what"] == "assigned", since, 60)
    device.see("the bundle is committed", lambda status: stage(status) == "committed", 60)
    device.reach("online", 60)


def version(status):
    return status["trust"]["bundles"].get("vendor", {}).get("version")
