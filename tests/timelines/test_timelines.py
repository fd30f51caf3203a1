"""Every story plays as written, and together they play every row of every table.

Rule: a row, a class or an outcome without a story is a failure, so nothing is built unseen.
"""

import pathlib

import pytest

from anchorwatch.core import bundles, lifecycle, rolls, stages, twin, unauthorized
from anchorwatch.core.asleep import Asleep
from anchorwatch.core.machine import Machine
from tests.timelines import replay

STORIES = sorted((pathlib.Path(__file__).parent / "stories").glob("*.txt"))
TABLES = {
    "connection": lifecycle.CONNECTION,
    "registration": lifecycle.REGISTRATION,
    "reverify": lifecycle.REVERIFY,
    "ladder": unauthorized.LADDER,
    "twin": twin.TWIN,
    "commit": stages.TRUST,
    "bundles": bundles.CHANNELS,
    "identity": rolls.ROLL,
}
# Rows of the design, sections 4, 5, 6, 7 and 10; a story names what it plays in `# covers:`.
REQUIRED = (
    "§3 reduced watch", "§3 glance",
    "§4 network", "§4 service", "§4 contended", "§4 throttled", "§4 trust", "§4 policy", "§4 clock",
    "§4 memory", "§4 identity",
    "§5 rung 1", "§5 rung 2", "§5 rung 3", "§5 rung 4", "§5 rung 5", "§5 rung 6", "§5 budget",
    "§5 nothing left",
    "§6 same anchor", "§6 anchor changed", "§6 address gone", "§6 token due", "§6 commanded",
    "§6 swap rate", "§6 trust failure", "§6 network failure", "§6 date failure",
    "§6 connect refused", "§6 unanswered", "§6 ping dead", "§6 takeover", "§6 live lost",
    "§7 R1", "§7 R2", "§7 R3", "§7 R4", "§7 R5", "§7 R6", "§7 R7", "§7 R8", "§7 R9", "§7 R10",
    "§9 expiry roll", "§9 est", "§9 dps", "§9 hub", "§9 files", "§9 first certificate",
    "§9 issuer down", "§9 wrong CN", "§9 hub refuses the trial", "§9 issuer not registered",
    "§9 trial without a session", "§9 breach roll", "§9 breach without a session",
    "§9 breach and power cut", "§9 never back", "§9 power cut", "§9 forbidden", "§9 desired roll",
    "§9 lost slot",
    "§10 standings", "§10 step", "§10 floor", "§10 patience",
    "CONNACK 1", "CONNACK 2", "CONNACK 3", "CONNACK 4", "CONNACK 5",
)  # fmt: skip
# Rows that no story plays, with the reason.
UNPLAYED = {}


def machines(watch):
    """What is asleep is made."""
    return {name: awake(getattr(watch, name)) for name in TABLES}


def awake(machine):
    return machine.awake() if isinstance(machine, Asleep) else machine


def lines_of(file):
    return file.read_text(encoding="utf-8").split("\n")[:-1]


def tags(file):
    marked = [line[9:] for line in lines_of(file) if line.startswith("# covers:")]
    return [tag.strip() for line in marked for tag in line.split(",")]


def played_rows(monkeypatch):
    """{machine: {(state, event type)}} that the stories looked up."""
    played = {name: set() for name in TABLES}
    for file in STORIES:
        for name in TABLES:
            kind = type(machines_of_a_watch()[name])
            monkeypatch.setattr(kind, "row", noting(played[name]))
        replay.Replay().text(lines_of(file))
    return played


def noting(played):
    """A machine's row(), which remembers what it found."""

    def row(machine, kind):
        found = Machine.row(machine, kind)
        if found:
            played.add((machine.state, kind))
        return found

    return row


def machines_of_a_watch():
    return machines(replay.Watch(replay.Config(replay.BASE), replay.RANDS["least"]))


@pytest.mark.parametrize("file", STORIES, ids=lambda file: file.stem)
def test_story_plays_as_written(file):
    lines = lines_of(file)
    assert lines[0].startswith("# ") and lines[0].endswith("."), "the first line is the claim"
    assert replay.Replay().text(lines) == "\n".join(lines) + "\n"


def test_every_row_of_every_table_is_played_by_a_story(monkeypatch):
    played = played_rows(monkeypatch)
    missing = [
        (name, state, on)
        for name, table in TABLES.items()
        for state, on, _, _ in table
        if (state, on) not in played[name] and (name, state, on) not in UNPLAYED
    ]
    assert missing == []


def test_every_row_of_the_design_is_named_by_a_story():
    told = {tag for file in STORIES for tag in tags(file)}
    assert [tag for tag in REQUIRED if tag not in told] == []


def test_no_story_names_a_row_that_nobody_required():
    assert [(f.stem, t) for f in STORIES for t in tags(f) if t not in REQUIRED] == []


def test_every_claim_is_made_once():
    claims = [lines_of(file)[0] for file in STORIES]
    assert sorted(claims) == sorted(set(claims))


def test_a_story_whose_time_goes_back_is_refused():
    with pytest.raises(ValueError, match="is before"):
        replay.Replay().text(["5 start()", "4 Woke()"])
