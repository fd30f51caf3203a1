"""A device that insists on TLS records of 512 bytes has them, and longer messages still pass.

It is for boards whose buffer is short. The hub agrees in its hello; what is longer than a record
goes out in several, and comes in so too.
"""

BYTES = 512
LONG = "0123456789" * 300


def play(cloud, device):
    since = cloud.mark()
    fragment = device.status()["endpoints"]["hub"]["fragment"]
    assert (fragment["asked"], fragment["negotiated"]) == (BYTES, BYTES), fragment
    device.ask("send", "--mid", "long", LONG)
    row = cloud.see("the message is at the hub", lambda row: row["what"] == "telemetry"
                    and row["mid"] == "long", since)  # fmt: skip
    assert row["size"] == len(LONG), row
    answer = cloud.post(f"/devices/{device.name}/method", {"name": "nobody", "payload": LONG})
    assert answer["status"] == 404, answer
