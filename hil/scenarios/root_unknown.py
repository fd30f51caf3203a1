"""The hub moves to a root the device lacks, and the cloud hears of it while they still can talk.

The second handshake fails, the live session stays, and the gap stands in the device's twin. The
operator installs the root on the device, and the session moves before it would have been lost.
"""

from .seen import under


def play(cloud, device):
    anchor, since = cloud.anchor("unknown"), cloud.mark()
    cloud.post("/hub/chain", {"name": "unknown-rsa"})
    cloud.see("the gap is reported to the hub", reports_gap, since, 40)
    assert cloud.reported(device.name)["anchorwatch"]["gap"]["hub"]
    device.see("the session outlasts the gap by some seconds", outlasts_the_gap)
    device.put("unknown.pem", cloud.root("unknown"))
    device.ask("roots", "add", "unknown.pem")
    device.see("a session under the installed root", lambda s: under(s) == anchor, 40)
    device.see("the gap is closed", lambda s: not s["gap"])


def outlasts_the_gap(status):
    gap = status["gap"][0]
    lasts_s = status["clock"]["judged_at_utc_s"] - gap["since_utc_s"]
    return status["agent"]["state"] == "online" and lasts_s >= 3


def reports_gap(row):
    return row["what"] == "reported" and bool(row["patch"].get("anchorwatch", {}).get("gap"))
