"""How the acts are played, with a stage of wood."""

from types import SimpleNamespace

import pytest

from hil.bench.control import Unanswered
from hil.bench.waiting import NotReached
from hil.demo.play import play
from hil.demo.timeline import Timeline

STATUS = {
    "agent": {"state": "online"}, "machines": {}, "endpoints": {}, "fault": None, "gap": [],
    "queue": {"waiting": 3},
}  # fmt: skip


class Stage:
    """Remembers what was asked of it."""

    def __init__(self, drains=True, status=STATUS):
        self.did, self.broken, self._drains = [], [], drains
        self.cloud = SimpleNamespace(anchor=lambda name: name)
        self.device = SimpleNamespace(name="d", start=lambda: self.did.append("start"))
        self.device.status = lambda: status if status else self.silence()

    def silence(self):
        raise Unanswered("nobody")

    def open(self):
        self.did.append("open")

    def on_air(self):
        self.did.append("on air")

    def check(self):
        if self.broken:
            raise NotReached("everything beside the play goes on", self.broken)

    def drain(self):
        self.did.append("drain")
        if not self._drains:
            raise NotReached("the queue is empty", "3 are not")


def act(name, does):
    return SimpleNamespace(__name__="s." + name, __doc__="A claim.", play=does), name, name


def played(stage, *acts):
    timeline = Timeline()
    good = play(stage, timeline, lambda seconds: stage.did.append("breath"), acts)
    over = [row for row in timeline.rows() if row["what"] == "act over"]
    return good, over, timeline.rows()


def fine(cloud, device):
    device.start()


def test_acts_are_played_in_order_and_the_queue_drained():
    stage = Stage()
    good, over, _ = played(stage, act("one", fine), act("two", fine))
    assert good and [row["failure"] for row in over] == [None, None]
    assert stage.did == ["open", "start", "on air", "breath", "start", "breath", "drain"]


def never(cloud, device):
    raise NotReached("a swap (within 3 s)", {"state": "resting"})


def wrong(cloud, device):
    raise AssertionError("asked again after 2 ms")


@pytest.mark.parametrize("does, words", [
    (never, "a swap (within 3 s)"), (wrong, "AssertionError: asked again after 2 ms"),
])  # fmt: skip
def test_act_that_fails_is_the_last_one_and_says_what_was_waited_for(does, words):
    stage = Stage()
    good, over, _ = played(stage, act("one", does), act("two", fine))
    assert not good and len(over) == 1 and "start" not in stage.did
    assert over[0]["failure"]["waited_for"] == words
    assert over[0]["failure"]["last"]["status"]["queue"] == {"waiting": 3}


def test_act_without_a_status_says_that():
    _, over, _ = played(Stage(status=None), act("one", never))
    assert over[0]["failure"]["last"]["status"] == "no status: nobody"


def test_sender_that_broke_fails_the_act_it_broke_in():
    stage = Stage()
    stage.broken.append("sender: Unanswered('the agent hung up')")
    good, over, _ = played(stage, act("one", fine))
    assert not good and "sender" in over[0]["failure"]["last"]["broken"][0]


def test_queue_that_does_not_drain_stops_the_run_with_a_reason():
    good, _, rows = played(Stage(drains=False), act("one", fine))
    assert not good
    stopped = [row for row in rows if row["what"] == "stopped"]
    assert stopped[0]["why"] == "the queue is empty: 3 are not"


def test_programming_error_in_a_scenario_is_not_hidden():
    def mistaken(cloud, device):
        raise KeyError("hub3")

    with pytest.raises(KeyError):
        played(Stage(), act("one", mistaken))
