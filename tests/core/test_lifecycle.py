"""The tables as tables: complete, without twins, and every state that waits has an end."""

import pytest

from anchorwatch.config import Config
from anchorwatch.core import bundles, lifecycle, record, rolls, stages, twin, unauthorized
from anchorwatch.core.routing import TAKERS
from anchorwatch.core.watch import Watch
from tests.timelines import diagrams, replay
from tests.timelines.test_timelines import STORIES, TABLES, lines_of, machines

FIRST = {
    "connection": lifecycle.IDLE,
    "registration": lifecycle.IDLE,
    "reverify": lifecycle.IDLE,
    "ladder": unauthorized.CLEAR,
    "twin": twin.OFFLINE,
    "commit": stages.SETTLED,
    "bundles": bundles.RESTING,
    "identity": rolls.RESTING,
}
# Left again before `handle` returns.
TRANSIENT = {
    "connection": (lifecycle.WEIGHING,),
    "reverify": (lifecycle.CHOOSING, lifecycle.COMPARING),
    "ladder": (unauthorized.SELF_CHECK, unauthorized.CHOOSING),
    "identity": (rolls.DOUBTING,),
    "commit": (stages.CHOOSING, stages.JUDGING),
}
# What may last for ever without a deadline of its own, and why.
RESTS = {
    "connection": (lifecycle.IDLE, lifecycle.ONLINE, lifecycle.STOPPED),
    "registration": (lifecycle.IDLE,),
    "reverify": (lifecycle.IDLE,),
    "twin": (twin.OFFLINE, twin.READY),
    "commit": (stages.SETTLED, stages.REVERTED),  # what a person took back rests until the next one
    "bundles": (bundles.RESTING,),
    "identity": (rolls.RESTING,),  # of a device that does not roll
}
# Whose deadline ends the state of another machine.
HELD_BY = {
    ("connection", lifecycle.REGISTERING): "registration",
    ("connection", lifecycle.REPROVISIONING): "registration",
    ("connection", lifecycle.SWAPPING): "reverify",
    ("connection", lifecycle.ADRIFT): "reverify",
}
NAMES = sorted(TABLES)
KINDS = {kind.__name__ for kind in record.Record.__subclasses__()}


def states(table):
    return {row[0] for row in table} | {row[2] for row in table}


def machine(name):
    return machines(Watch(Config(replay.BASE), replay.RANDS["least"]))[name]


@pytest.mark.parametrize("name", NAMES)
def test_no_state_says_two_things_about_one_event(name):
    pairs = [(state, on) for state, on, _, _ in TABLES[name]]
    assert [pair for pair in pairs if pairs.count(pair) > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_event_of_a_table_is_a_kind_that_exists(name):
    late = type(machine(name)).late
    assert [on for on in [*[row[1] for row in TABLES[name]], *late] if on not in KINDS] == []


def test_whatever_is_routed_is_a_kind_that_exists_and_has_one_taker():
    routed = [kind for _, _, kinds in TAKERS for kind in kinds]
    assert [kind for kind in routed if kind not in KINDS] == []
    assert sorted(set(routed)) == sorted(routed)


def test_no_two_kinds_have_one_name():
    names = [kind.__name__ for kind in record.Record.__subclasses__()]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("name", NAMES)
def test_every_effect_exists(name):
    kind = type(machine(name))
    assert [e for _, _, _, e in TABLES[name] if not callable(getattr(kind, "_" + e, None))] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_state_is_reached_from_the_first(name):
    reached, left = {FIRST[name]}, [FIRST[name]]
    while left:
        state = left.pop()
        for here, _, there, _ in TABLES[name]:
            if here == state and there not in reached:
                reached.add(there)
                left.append(there)
    assert states(TABLES[name]) - reached == set()


@pytest.mark.parametrize("name", NAMES)
def test_only_stopped_has_no_way_out(name):
    ways_out = {state for state, _, there, _ in TABLES[name] if there != state}
    ends = {lifecycle.STOPPED} if name == "connection" else set()
    assert states(TABLES[name]) - ways_out == ends


def test_stop_is_heard_in_every_state_of_the_connection_that_lasts():
    hears = {state for state, on, _, _ in lifecycle.CONNECTION if on == "Stop"}
    lasting = states(lifecycle.CONNECTION) - {lifecycle.STOPPED, lifecycle.WEIGHING}
    assert lasting - hears == set()


class Sentry(replay.Replay):
    """A replay that notes each state in which nobody holds a deadline, and the states it saw."""

    def __init__(self):
        super().__init__()
        self.endless, self.seen = [], set()

    def _state(self):
        for name in TABLES:
            state = getattr(self.watch, name).state
            self.seen.add((name, state))
            holder = getattr(self.watch, HELD_BY.get((name, state), name))
            if state in TRANSIENT.get(name, ()):
                self.endless.append("%s rests in %s" % (name, state))
            elif name in RESTS and state not in RESTS[name] and holder.wake_at is None:
                self.endless.append("%s waits in %s for ever" % (name, state))
        return super()._state()


def test_every_state_that_waits_for_somebody_has_a_deadline():
    seen, endless = set(), []
    for file in STORIES:
        sentry = Sentry()
        sentry.text(lines_of(file))
        seen |= sentry.seen
        endless += ["%s: %s" % (file.stem, text) for text in sentry.endless]
    assert endless == []
    every = {(name, s) for name in TABLES for s in states(TABLES[name])}
    transient = {(name, s) for name in TRANSIENT for s in TRANSIENT[name]}
    before_start = {("connection", lifecycle.IDLE)}
    assert every - transient - seen == before_start, "states that no story shows"


def test_a_ladder_that_is_not_clear_leaves_the_connection_a_way_on():
    for file in STORIES:
        player = replay.Replay()
        player.text(lines_of(file))
        watch = player.watch
        if watch.ladder.state != unauthorized.CLEAR and watch.connection.state != lifecycle.STOPPED:
            assert watch.wake_at is not None, file.stem


def test_the_readme_shows_the_table_as_it_is():
    page = diagrams.PAGE.read_text(encoding="utf-8")
    assert diagrams.drawn(page) == page, "run: python tests/timelines/diagrams.py"


def test_a_page_without_room_for_the_diagram_is_refused():
    with pytest.raises(ValueError, match="once each"):
        diagrams.drawn("# a page\n<!-- connection -->\n")


def test_a_diagram_has_one_arrow_a_row():
    lines = diagrams.diagram(lifecycle.CONNECTION).split("\n")
    assert lines[0] == "stateDiagram-v2"
    assert len(lines) - 1 == len(lifecycle.CONNECTION)
    assert "  waiting_for_hub --> dialing_hub: Woke / dial" in lines
