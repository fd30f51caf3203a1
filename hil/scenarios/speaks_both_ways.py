"""A device that is online delivers telemetry, takes messages, answers methods and heeds its twin.

The message is at the hub, and acknowledged to the device, which then has nothing left to send. One
of the cloud's is taken by the device and acknowledged to the hub. The method is one of the agent's
own. The desired property is acknowledged with the version it came in.
"""

TEXT = "20.5 degrees"
INTERVAL_S = 3600


def play(cloud, device):
    since = cloud.mark()
    device.ask("send", "--mid", "spoken", TEXT)
    row = cloud.see("the message is at the hub", lambda row: row["what"] == "telemetry"
                    and row["mid"] == "spoken", since)  # fmt: skip
    assert row["text"] == TEXT, row
    device.see("the device knows it", lambda s: not s["queue"]["waiting"] + s["queue"]["in_flight"])

    letter = cloud.post(f"/devices/{device.name}/c2d", {"payload": "hallo"})["mid"]
    cloud.see("the device takes the cloud's", lambda row: row["what"] == "c2d acked"
              and row["mid"] == letter, since)  # fmt: skip
    device.see("it was told", lambda s: s["counters"].get("c2d"))

    call = {"name": "reverify", "payload": {}, "timeout_s": 25}
    answer = cloud.post(f"/devices/{device.name}/method", call)
    assert answer["status"] == 200, answer

    patch = {"desired": {"anchorwatch": {"reverifyIntervalS": INTERVAL_S}}}
    cloud.post(f"/devices/{device.name}/twin", patch)
    heeded = cloud.see("the desired property is acknowledged", acknowledges, since)
    assert heeded["patch"]["anchorwatch"]["reverifyIntervalS"]["ac"] == 200, heeded


def acknowledges(row):
    ours = row["patch"].get("anchorwatch", {}) if row["what"] == "reported" else {}
    return ours.get("reverifyIntervalS", {}).get("value") == INTERVAL_S
