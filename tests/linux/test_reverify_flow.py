"""A look takes its time on a slow way; the live session's messages do not wait for it.

Rule: the gap is measured where messages arrive, at the hub, and held against the look's own time.
"""

import pytest

from hil.bench.cloud import Cloud
from hil.bench.control import Line
from hil.bench.journal import Journal
from hil.bench.slow import SlowNetwork
from hil.bench.waiting import until
from tests.linux import looking
from tests.linux.test_end_to_end import Load, delivered

pytestmark = [pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]
ROUND_TRIP_MS = 2_000
LOOKS = 2
MESSAGES = 600
SHARE = 4  # a quarter of a look; a machine that is busy with other tests has gaps of its own


@pytest.fixture
def cloud(tmp_path):
    with Cloud(tmp_path / "cloud", *looking.CLOUD) as running:
        yield running


@pytest.fixture
def slow(cloud):
    """A second address of the hub, far away; the name now leads there first."""
    hub = cloud.ready["hub"]
    place = f"{hub['address']}:{hub['port']}"
    network = SlowNetwork(f"{cloud.ready['net']}.9:{hub['port']}", place)
    network.round_trip(ROUND_TRIP_MS)
    yield lambda: cloud.post("/resolve", {hub["host"] + ":8883": [network.address, place]})
    network.stop()


def longest_gap_ms(cloud, board, act):
    """Between two messages at the hub while act() is done."""
    journal = Journal(cloud)
    act()
    rows = [r for r in journal.read() if r["what"] == "telemetry" and r["device"] == board.name]
    times = [row["t_ms"] for row in rows]
    assert len(times) > MESSAGES // 2
    return max(b - a for a, b in zip(times, times[1:]))


def sent(load, count):
    before = len(load.mids)
    until("so many messages", lambda: (len(load.mids) - before >= count, len(load.mids)), 60)


def look(board):
    """One look on command; how long its handshake took."""

    def ask():
        with Line(board.socket) as line:
            line.ask("reverify")

    return looking.first_told(board, "reverify", ask)[0]["took_ms"]


def test_messages_flow_while_a_slow_handshake_is_under_way(cloud, slow, capsys):
    with looking.online(cloud, "flow", reverify={"interval_s": looking.SELDOM_S}) as board:
        since, took_ms = cloud.mark(), []
        with Load(board) as load:
            sent(load, 50)
            without_ms = longest_gap_ms(cloud, board, lambda: sent(load, MESSAGES))
            slow()
            with_ms = longest_gap_ms(
                cloud, board, lambda: took_ms.extend(look(board) for _ in range(LOOKS))
            )
        assert set(delivered(cloud, board, load.mids).values()) == {1}
        assert looking.undisturbed(cloud, board, since)
    with capsys.disabled():
        print("\nlongest gap between messages: %d ms without looks, %d ms while looks take %s ms"
              % (without_ms, with_ms, took_ms))  # fmt: skip
    assert min(took_ms) >= 2 * ROUND_TRIP_MS, "the look went the slow way"
    assert with_ms <= min(took_ms) // SHARE
