"""Every fault that a device can show comes with something to do."""

from anchorwatch.core import faults, remedies
from anchorwatch.linux import verdicts
from tests import house


def test_every_class_has_a_remedy():
    assert set(faults.SCHEDULES) | {"identity"} == set(remedies.CLASSES)


def test_date_is_the_clocks_matter_until_the_clock_is_proven():
    assert remedies.remedy("clock", "expired") == remedies.CLASSES["clock"]
    assert remedies.remedy("trust", "expired") == remedies.VERDICTS["expired"]


def test_every_remedy_is_for_a_verdict_that_somebody_gives():
    given = set(verdicts.WORDS) | {pair[1] for pair in faults.CONNACK.values()}
    text = open(faults.__file__).read()
    board = house.ROOT / "micropython" / "anchorwatch_board"
    text += "".join([(board / name).read_text() for name in ("verdicts.py", "judged.py")])
    for name in ("registration", "token", "weigh"):
        text += open(faults.__file__.replace("faults.py", name + ".py")).read()
    assert [v for v in remedies.VERDICTS if v not in given and '"%s"' % v not in text] == []
