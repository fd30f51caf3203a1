"""The device is moved to another hub, and learns of it because its own no longer knows it.

The first hub refuses it as unauthorized, the ladder leads to DPS, and DPS assigns the second hub.
What was queued for the first hub is delivered to the second.
"""


def play(cloud, device):
    since = cloud.mark()
    cloud.post(f"/enrollments/{device.name}", {"hub": "hub2"})
    cloud.delete(f"/devices/{device.name}?hub=hub")
    cloud.see("the first hub refuses it", lambda r: r["what"] == "connect refused", since, 20)
    cloud.see("DPS assigns the second hub", lambda row: row["what"] == "assigned", since, 60)
    host = cloud.get("/services")["hub2"]["host"]
    device.see("a session at the second hub", lambda status: at_hub(status, host), 30)


def at_hub(status, host):
    return status["agent"]["state"] == "online" and status["endpoints"]["hub"]["host"] == host
