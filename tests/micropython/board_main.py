"""What a board does at power-on when nothing is as it should be."""

import main
from anchorwatch_board.folder import Folder, make
from anchorwatch_board.port import Port
from board_start import TREE, configured
from board_store import raises

from anchorwatch.wire.encoding import base64_text

ROOTS = Folder(__import__("anchorwatch").__file__.rpartition("/")[0] + "/data/roots").path


class Enough(Exception):
    """The test has seen what it came for."""


class Board(Port):
    """A port whose watchdog breaks after so many meals."""

    def __init__(self, meals):
        super().__init__()
        self.meals, self.restarts, self.breaks_early = meals, [], False

    def feed(self):
        self.meals -= 1
        if self.meals < 0:
            raise RuntimeError("out of food")

    @property
    def element(self):
        """Asked for before the agent has begun."""
        if self.breaks_early:
            raise RuntimeError("out of food")

    def restart(self, reason):
        self.restarts.append(reason)

    def bitten(self):
        return False


def whole(path):
    """A configuration with all that it names."""
    make(path)
    Folder(path).write("key.txt", base64_text(b"k" * 32).encode())
    hub = {"host": "hub.example"}
    return dict(TREE, hub=hub, trust={"factory_dir": ROOTS},
                resolve={"hub.example:8883": ["127.0.0.1:1"]})  # fmt: skip


def test_wrong_configuration_is_said_and_read_again_a_minute_later(path):
    said, waits = [], []
    file = configured(path, b"{")
    wrong = (dict(TREE, devise={}), dict(TREE, trust={"factory_dir": path + "/none"}))

    def pause(seconds, here):
        waits.append(seconds)
        if len(waits) > len(wrong):
            raise Enough()
        configured(path, wrong[len(waits) - 1])

    raises(Enough, main.run, file, Board(99), pause, said.append)
    assert waits == [60, 60, 60]
    lines = [line for line in said if line.startswith("anchorwatch: ")]
    assert [line.split(": ")[1] for line in lines] == [
        "configuration is not JSON", "unknown section", "key file cannot be read"]  # fmt: skip


def test_crash_is_kept_waited_out_longer_each_time_and_ends_in_a_restart(path):
    waits = []

    def pause(seconds, here):
        waits.append(seconds)
        if len(waits) > 3:
            raise Enough()

    file = configured(path, whole(path))
    for count in (1, 2, 3):
        board = Board(0)
        board.breaks_early = count == 2
        raises(RuntimeError, main.run, file, board, pause, lambda line: None)
        assert board.restarts == ["crash"]
        kept = main.open_store(main.load(file), main._silent)[0].newest("crash")
        assert kept["what"] == "RuntimeError: out of food" and kept["count"] == count
        assert kept["where"][-1].endswith(" element" if count == 2 else " feed")
    assert waits == [20, 40, 80]


def test_reset_by_the_watchdog_is_kept_as_a_crash(path):
    config = main.load(configured(path, whole(path)))
    for count in (1, 2):
        main.keep(config, main.crash.reset)
        kept = main.open_store(config, main._silent)[0].newest("crash")
        assert kept["what"] == "the watchdog has reset the board" and kept["count"] == count


def test_waiting_feeds_the_watchdog_every_second(path):
    board = Board(1)
    raises(RuntimeError, main.wait, 2, board)
