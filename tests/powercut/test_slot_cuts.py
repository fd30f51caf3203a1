"""Power cuts of a slot's whole life: a key over another, request, certificate, proof, the wipe.

Rule: the other slot is never touched, and once a key was said to be overwritten or wiped, no file
of any image holds a piece of it.
"""

from anchorwatch.core.actions import Prove
from anchorwatch.errors import StateError
from anchorwatch.linux.slots import Slots
from tests.powercut import survey, table
from tests.powercut.calls import on
from tests.powercut.ledger import text_of
from tests.powercut.stories import opened
from tests.powercut.survey import Found, Story

OLD, NEW, OTHER = ("-----BEGIN PRIVATE KEY-----\n" + word * 40 for word in (
    "FORMER KEY ", "NEXT KEY ", "KEY THAT SERVES "))  # fmt: skip


def body(key, csr="", chain=()):
    return {"key": key, "csr": csr, "chain": list(chain), "issuer": "est" if chain else ""}


def slots_of(calls):
    store, _ = opened(calls)
    store.read()
    return Slots(store, None, lambda *told: None)


def _prepare(calls, ledger):
    with on(calls):
        slots = slots_of(calls)
        for name, held in (("a", body(OLD)), ("a", body(OLD, "csr", ["chain"])),
                           ("b", body(OTHER, "csr", ["chain"]))):
            _write(slots, ledger, name, held)


def _write(slots, ledger, name, held):
    ledger.begin("slot-" + name, held)
    slots.write(name, held)
    ledger.acknowledge("slot-" + name)


def _fill(slots, ledger):
    for held in (None, body(NEW)):
        ledger.begin("slot-a", held)
    slots.fill("a", NEW)
    ledger.acknowledge("slot-a")


def _prove(slots, ledger):
    assignment, evidence = {"hub": "h", "device_id": "d"}, {"accepted": {"hub": 7}}
    ledger.begin("slot-a", dict(slots.held("a"), assignment=assignment, evidence=evidence))
    assert slots.prove(Prove("a", assignment, evidence)).name == "slot-a"
    ledger.acknowledge("slot-a")


def _wipe(slots, ledger):
    ledger.begin("slot-a", None)
    slots.wipe("a")
    ledger.acknowledge("slot-a")


def _play(calls, ledger):
    with on(calls):
        slots = slots_of(calls)
        _fill(slots, ledger)
        _write(slots, ledger, "a", body(NEW, "csr"))
        _write(slots, ledger, "a", body(NEW, "csr", ["leaf", "issuer"]))
        _prove(slots, ledger)
        _wipe(slots, ledger)


def _after(calls, ledger):
    """A start after a cut rolls anew."""
    with on(calls):
        _fill(slots_of(calls), ledger)


def _boot(calls, ledger):
    warnings, wrong, texts = [], [], {}
    with on(calls):
        store, _ = opened(calls, lambda *told: warnings.append(told))
        try:
            texts = {name: text_of(tree) for name, tree in store.read().items()}
        except StateError as error:
            wrong.append(str(error))
    held = [text for text in ledger.allowed("slot-a") if text]
    for key in (OLD, NEW):
        word = key.splitlines()[1][:20].encode()
        if not [text for text in held if word in text]:
            wrong += ["%s is still in %s" % (word[:10], path)
                      for path, (*_, data) in calls.disk.image().items()
                      if isinstance(data, bytes) and word in data]
    return Found(texts, bool(warnings), wrong)


def test_power_cut_in_the_life_of_a_slot_loses_no_key_and_leaves_none(record_property):
    story = Story("slot: key, request, chain, proof, wipe", _prepare, _play, _after, _boot)
    counted = survey.Survey(story, survey.STORE_FULL).run()
    record_property("power cut", table.row(counted))
    assert counted.faults == []
    assert (counted.unreadable, counted.lost, counted.wrong) == (0, 0, 0)
    # A slot is synced so often that many of its cuts leave one image alone.
    assert counted.cuts >= 30 and 2 * counted.ordered >= 3 * counted.cuts
