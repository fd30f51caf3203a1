"""What one look at the hub costs on the wire: a whole second handshake, opened and closed.

Beside it `openssl s_client`, which does the same and nothing else.
"""

import subprocess
import time
from collections.abc import Callable

from . import gaps
from .devices import OURS, PAHO, SDK
from .rig import Rig
from .waiting import until

SHARE = 1.05
SETTLE_S = 3
SUITES = (
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"
    ":ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"
    ":ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256"
    ":ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256"
)


def run(count: int, note: Callable[[str], None]) -> dict:
    """The figures; medians of `count` looks and as many handshakes of openssl."""
    with Rig() as rig:
        theirs = gaps.median([_handshake(rig) for _ in range(count)])
        note(f"openssl s_client: {theirs:g} bytes")
        device = rig.device(OURS)
        device.start(serves=False)
        time.sleep(SETTLE_S)
        ours = gaps.median([_look(rig, device) for _ in range(count)])
        note(f"a look: {ours:g} bytes")
    return figures(ours, theirs, count)


def _look(rig: Rig, device: object) -> int:
    before, looks = rig.network.forwarded_bytes(), _looks(device)
    device.board.ask("reverify")

    def look() -> tuple[object, object]:
        status = device.board.status()
        resting = status["machines"]["reverify"] == "resting"
        return resting and status["counters"].get("looks", 0) > looks, status["machines"]

    until("the look is over", look, 20, every_s=0.05)
    return _settled(rig) - before


def _looks(device: object) -> int:
    return device.board.status()["counters"].get("looks", 0)


def _handshake(rig: Rig) -> int:
    before = rig.network.forwarded_bytes()
    subprocess.run(
        ["openssl", "s_client", "-connect", rig.network.address, "-servername", rig.host,
         "-tls1_2", "-cipher", SUITES, "-no_ticket", "-verify_return_error",
         "-CAfile", str(rig.cloud.folder / "roots" / "baltimore.pem")],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=True,
    )  # fmt: skip
    return _settled(rig) - before


def _settled(rig: Rig) -> int:
    """The count once nothing more goes through."""
    last = -1

    def look() -> tuple[object, object]:
        nonlocal last
        now, before = rig.network.forwarded_bytes(), last
        last = now
        return now == before, now

    until("the network is quiet", look, 10, every_s=0.2)
    return last


def figures(ours: float, theirs: float, count: int) -> dict:
    """One figure; the limit is a share of openssl's bytes."""
    return {
        "reverify: bytes of a look": {
            OURS: ours, SDK: None, PAHO: None, "limit": round(SHARE * theirs, 1), "unit": "bytes",
            "how": f"TLS bytes both ways through the proxy, median of {count}; the limit is {SHARE}"
            f" of `openssl s_client -tls1_2 -no_ticket` ({theirs:g}); the others never look",
        }  # fmt: skip
    }
