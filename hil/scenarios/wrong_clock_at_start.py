"""A device that starts years in the past gets the time first, then its session, and checks dates.

By its own clock no certificate is valid yet. It never passes over that: it asks for the time, and
online it judges by a time that is right.
"""

from .seen import utc_s

YEARS_S = 20 * 365 * 86_400
RIGHT_S = 120


def play(cloud, device):
    since = cloud.mark()
    device.clock(-YEARS_S)
    device.start()
    cloud.see("it asks for the time", lambda row: row["what"] == "sntp", since)
    device.reach("online", 90)
    clock = device.status()["clock"]
    assert clock["standing"] in ("plausible", "authenticated"), clock
    assert abs(clock["judged_at_utc_s"] - utc_s()) < RIGHT_S, clock
