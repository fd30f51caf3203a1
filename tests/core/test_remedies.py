"""Every fault that a device can show comes with something to do."""

from anchorwatch.core import faults, remedies
from anchorwatch.linux import dial, framed, proxy, tcp, tls
from anchorwatch.pki import judge


def test_every_class_has_a_remedy():
    assert set(faults.SCHEDULES) | {"identity"} == set(remedies.CLASSES)


def test_date_is_the_clocks_matter_until_the_clock_is_proven():
    assert remedies.remedy("clock", "expired") == remedies.CLASSES["clock"]
    assert remedies.remedy("trust", "expired") == remedies.VERDICTS["expired"]


def test_every_remedy_is_for_a_verdict_that_somebody_gives():
    given = set(judge.VERDICTS) | set(dial.HERE) | set(tcp.NETWORK.values())
    given |= {pair[1] for pair in faults.CONNACK.values()}
    text = "".join(open(module.__file__).read() for module in (tls, dial, proxy, framed, faults))
    for name in ("registration", "token", "faults"):
        text += open(faults.__file__.replace("faults.py", name + ".py")).read()
    text += open(dial.__file__.replace("dial.py", "resolve.py")).read()
    assert [v for v in remedies.VERDICTS if v not in given and '"%s"' % v not in text] == []
