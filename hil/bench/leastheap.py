"""The smallest heap in which a board plays three whole scenarios, each try with a cloud of its own.

    with DPS   first boot by a DPS that shows its longest chain in whole records, telemetry; another
               root; a certificate that only DPS knows
    hub alone  first session, telemetry; another root; the hub dies and comes back

Rule: a heap passes when all three reach their end; a heap that fails is not tried smaller.
"""

import base64
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hil.scenarios import certificate_replaced, first_boot
from hil.scenarios.seen import under

from .board import BoardError
from .boards import Board
from .cloud import Cloud
from .waiting import NotReached, until

STEP_KIB = 4
CLOUD = ("--chain", "baltimore-rsa", "--factory", "baltimore,g2")
KIND = "x509"
LONGEST = "g2-rsa-long"  # leaf, issuer, cross-signed root; DPS is asked for no short records
ALONE = "hub-alone"
SETTINGS = {
    "boot": {"spread_s": 0},
    "fleet": {"devices": 1, "connects_per_s": 1000},
    "reverify": {"confirm_s": 1, "swap_every_s": 0},
    "dps": {"spread_s": 0},
}
MESSAGES = 10
BACK_S = 90

Make = Callable[[Path, str, int], Board]  # a board of (folder, name, KiB of heap), switched off


def least(passes: Callable[[int], bool], low: int, high: int) -> int | None:
    """KiB, by bisection between `low`, which cannot pass, and `high`; None: not even `high`."""
    if not passes(high):
        return None
    while high - low > STEP_KIB:
        middle = low + (high - low) // 2 // STEP_KIB * STEP_KIB
        low, high = (low, middle) if passes(middle) else (middle, high)
    return high


def plays(make: Make, dps: bool, kib: int, note: Callable[[str], None]) -> bool:
    """Whether a board with so much heap plays all three."""
    with ready(make, dps, kib) as (cloud, board):
        try:
            play(cloud, board, dps)
        except (BoardError, NotReached, AssertionError) as failed:
            note(f"{kib} KiB fails: {reason(failed, board)}")
            return False
    note(f"{kib} KiB passes")
    return True


def reason(failed: Exception, board: Board) -> str:
    """One line: what the board said last of its memory, or what was waited for."""
    of_memory = [line for line in board.said if "emory" in line]
    return (of_memory or str(failed).splitlines() or [repr(failed)])[-1].strip()[:100]


@contextmanager
def ready(make: Make, dps: bool, kib: int) -> Iterator[tuple[Cloud, Board]]:
    """A cloud and a board that is off; nothing of them stays behind."""
    with tempfile.TemporaryDirectory(prefix="sizes-") as nest:
        with Cloud(Path(nest) / "cloud", *CLOUD) as cloud:
            folder, settings = (cloud.folder / KIND, {}) if dps else known_to_the_hub(cloud)
            cloud.post("/dps/chain", {"name": LONGEST})
            name = cloud.ready["kinds"][KIND] if dps else ALONE
            board = make(folder, name, kib)
            board.put("words", b"one-session")
            board.configure(SETTINGS)
            board.configure(settings)
            try:
                yield cloud, board
            finally:
                board.cut()


def known_to_the_hub(cloud: Cloud) -> tuple[Path, dict]:
    """A device with a symmetric key, and the settings by which it asks no DPS."""
    folder, kind = cloud.folder / ALONE, "symmetric-key"
    (folder / "site").mkdir(parents=True)
    text = (cloud.folder / kind / "anchorwatch.toml").read_text(encoding="utf-8")
    text = text.replace(cloud.ready["kinds"][kind], ALONE)
    (folder / "anchorwatch.toml").write_text(text, encoding="utf-8")
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    (folder / "device.key").write_text(key, encoding="utf-8")
    cloud.post("/devices", {"device_id": ALONE, "auth": "sas", "primary_key": key})
    return folder, {"dps": None, "hub": {"host": cloud.ready["hub"]["host"]}}


def play(cloud: Cloud, board: Board, dps: bool) -> None:
    """The three, one after the other."""
    if dps:
        first_boot.play(cloud, board)
    else:
        board.start()
        board.reach("online", 30)
    delivers(cloud, board)
    another_root(cloud, board)
    if dps:
        certificate_replaced.play(cloud, board)
    else:
        dies_and_comes_back(cloud, board)
    assert board.status()["fault"] is None


def delivers(cloud: Cloud, board: Board) -> None:
    """Messages of the board's own are at the hub."""
    mids = {"sizes-%d" % number for number in range(MESSAGES)}
    for mid in sorted(mids):
        board.asked("send", mid=mid, payload="e30=")

    def look() -> tuple[object, object]:
        came = {row["mid"] for row in cloud.rows("telemetry", device=board.name)}
        return mids <= came, board.tail()

    until("every message is at the hub", look, 30)


def another_root(cloud: Cloud, board: Board) -> None:
    """The hub's chain moves to another root, and the session ends."""
    cloud.post("/hub/chain", {"name": "g2-rsa"})
    cloud.post(f"/devices/{board.name}/drop", {"reason": "the session ends"})
    board.see("a session under g2", lambda s: under(s) == cloud.anchor("g2"), BACK_S)


def dies_and_comes_back(cloud: Cloud, board: Board) -> None:
    """The hub is gone until the board has seen it."""
    cloud.post("/hub/listen", {"up": False})
    board.see("offline", lambda s: (s["fault"] or {}).get("class") == "network", BACK_S)
    cloud.post("/hub/listen", {"up": True})
    board.reach("online", BACK_S)
