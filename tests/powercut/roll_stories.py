"""Stories of a device that rolls its own certificate while a bundle of roots is applied.

Rule: a story says what is due or asked, and whom the cloud takes; the device does the rest.
"""

from anchorwatch.core.rolls import HOLDING, RESTING
from tests.powercut.agent_stories import BOTH_G2, _bare_start, _ok, world
from tests.powercut.calls import Calls
from tests.powercut.device import DAY_MS
from tests.powercut.disk import disk_of
from tests.powercut.roll_checks import judged, leaks, proven, state_key
from tests.powercut.roll_cloud import AFTER, BOOTED, DUE, FIRST, PLAYED, Cloud
from tests.powercut.roll_device import rolling
from tests.powercut.roll_slots import put_files
from tests.powercut.strikes import Stopped
from tests.powercut.survey import Found, Story

MINUTE_MS = 60_000
_LIVED = set()


def all_of(number):
    """Whom a cloud takes that takes everybody."""
    return True


def old_only(number):
    """Whom a cloud takes whose operator has not registered the new issuing CA."""
    return number is not None and number < PLAYED


KIND, STRICT = Cloud(all_of, all_of), Cloud(old_only, old_only)
OLD_FILES = Cloud(all_of, all_of, {0: DUE})
OLD_SLOT = Cloud(all_of, all_of, {FIRST: DUE})
OLD_SLOT_STRICT = Cloud(old_only, old_only, {FIRST: DUE})
OLD_SLOT_BY_DPS = Cloud(old_only, all_of, {FIRST: DUE})


def device_on(calls, ledger, cloud, first_key=PLAYED):
    """A device that rolls, started on this disk."""
    return rolling(calls, ledger, world().factory, BOTH_G2, cloud, first_key)


def run(act, cloud, first_key):
    """act(device) as a function of (calls, ledger)."""
    def ran(calls, ledger):
        with device_on(calls, ledger, cloud, first_key) as device:
            act(device)
            if device.wrong:
                raise AssertionError(device.wrong)
    return ran


def prepare(act, cloud):
    """An assigned device with its first credential in files; act is what came before."""
    def prepared(calls, ledger):
        put_files(calls)
        _bare_start(calls, ledger)
        if act is not None:
            run(act, cloud, FIRST)(calls, ledger)
    return prepared


def _boot(name, cloud):
    """A start, and where it finds what no start has found before, three days with it."""
    def boot(calls, ledger):
        image, promised = calls.disk.image(), ledger.copy()
        with device_on(calls, ledger, cloud, BOOTED) as device:
            device.settle()
            wrong, texts = judged(device), device.texts
            known = (name, state_key(image, promised))
        if known not in _LIVED:
            _LIVED.add(known)
            wrong = wrong + _lived(image, promised, cloud)
        return Found(texts, bool(device.warnings), wrong)
    return boot


def _lived(image, ledger, cloud):
    """What is wrong three days after a start."""
    disk, wrong = disk_of(image), []
    with device_on(Calls(disk), ledger, cloud, BOOTED) as device:
        begun = device.promised()
        device.run(lambda device: False, 70 * MINUTE_MS)
        device.run(lambda device: _at_rest(device, cloud), 3 * DAY_MS)
        slots, state = device.watch.identity.slots, device.watch.identity.state
        kept, session = slots.kept, device.watch.connection.state
        quiet = state in (RESTING, HOLDING) and not kept["pending"]
        if session != "online" and not slots.quarantined:
            wrong.append("not online three days later, but %s" % session)
        if not quiet:
            wrong.append("three days later the roll is %s" % state)
        if not cloud.refuses and (kept["breached"] or kept["former"]):
            wrong.append("a key waits to be wiped three days later: %r" % kept)
        if begun["breached"] and not cloud.refuses and begun["breached"] not in kept["closed"]:
            wrong.append("a breach is forgotten three days later")
        if session == "online" and not proven(device, kept["active"]):
            wrong.append("the slot that serves has proven nothing three days later")
        wrong += device.wrong + device.unusable + leaks(disk.inodes, ledger)
    return ["%s (lived)" % one for one in wrong]


def _at_rest(device, cloud):
    identity, kept = device.watch.identity, device.watch.identity.slots.kept
    waits = kept["reason"] or kept["pending"] or kept["trial"] or kept["former"]
    rests = identity.state == HOLDING and cloud.refuses or not waits
    return rests and (device.watch.connection.state == "online" or identity.slots.quarantined)


def forget():
    """Every start is the first of its kind again: for a device that is not ours."""
    _LIVED.clear()


# Acts.


def online(device):
    """A session, and an hour of it."""
    device.run(lambda device: device.watch.connection.state == "online")
    device.run(lambda device: False, 60 * MINUTE_MS)


def until(device, done, at_most_ms=2 * DAY_MS):
    """Time passes until it is so."""
    if not device.run(done, at_most_ms):
        identity = device.watch.identity
        raise Stopped("no end: %s, %r, %r" % (identity.state, identity.slots.kept,
                                              device.warnings[-1:]))


def rolled(key):
    """done(device): this key's certificate is active, and the roll is over."""
    def done(device):
        identity = device.watch.identity
        return (identity.state == RESTING and not identity.slots.kept["breached"]
                and device.shown_number() == key)
    return done


def bundle(device):
    """A bundle is brought, and is not waited for."""
    device.ask("roots_import", files=world().bundles[1])


def renews(key):
    """act: what is due is renewed, and a bundle comes."""
    def act(device):
        device.run(lambda device: device.watch.identity.state != RESTING)
        bundle(device)
        until(device, rolled(key))
        device.run(lambda device: False, 30 * MINUTE_MS)
    return act


def renews_and_wipes(key):
    """act: the same, and the former key goes a day later."""
    def act(device):
        renews(key)(device)
        until(device, lambda device: not device.watch.identity.slots.kept["former"])
    return act


def breached(key):
    """act: the key is known to others, and a bundle comes."""
    def act(device):
        tells_of_a_breach(device)
        bundle(device)
        until(device, rolled(key))
    return act


def tells_of_a_breach(device):
    """act: the device is online and hears that its key is known to others."""
    device.run(lambda device: device.watch.connection.state == "online")
    _ok(device.ask("roll", reason="breach"))


def held(breach=False):
    """act: the new certificate is refused by all, and held."""
    def act(device):
        if breach:
            tells_of_a_breach(device)
        else:
            device.run(lambda device: device.watch.identity.state != RESTING)
        bundle(device)
        until(device, lambda device: device.watch.identity.state == HOLDING)
        device.run(lambda device: False, 30 * MINUTE_MS)
    return act


def goes_on(device):
    """act: after a cut, thirty hours."""
    device.run(lambda device: False, 30 * 60 * MINUTE_MS)


def _story(name, before, act, cloud, later=None):
    """before: (act, cloud) of what has been, or None; later: the cloud after a cut."""
    then = later or cloud
    return Story(name, prepare(*before), run(act, cloud, PLAYED), run(goes_on, then, AFTER),
                 _boot(name, cloud))


def _first_slot(device):
    """act: the configured certificate is replaced."""
    _ok(device.ask("roll", reason="expiry"))
    until(device, rolled(FIRST))


def _first(device):
    device.run(lambda device: device.watch.connection.state == "online")
    _first_slot(device)
    until(device, lambda device: not device.watch.identity.slots.kept["former"])


def _second(device):
    _first(device)
    device.run(lambda device: device.watch.identity.state != RESTING)
    until(device, rolled(FIRST + 1))


_FILES = (None, KIND)

STORIES = (
    _story("first roll, from files", _FILES, renews(PLAYED), OLD_FILES),
    _story("expiry roll, the former key wiped", (_first, OLD_SLOT), renews_and_wipes(PLAYED),
           OLD_SLOT),
    _story("breach roll", (_first, KIND), breached(PLAYED), KIND),
    _story("breach roll, from files", _FILES, breached(PLAYED), KIND),
    _story("breach roll over a former key", (_second, OLD_SLOT), breached(PLAYED), OLD_SLOT),
    _story("roll by way of DPS", (_first, OLD_SLOT), renews(PLAYED), OLD_SLOT_BY_DPS, OLD_SLOT),
    _story("refused roll is held", (_first, OLD_SLOT), held(), OLD_SLOT_STRICT, OLD_SLOT),
    _story("refused breach roll is held", (_first, KIND), held(True), STRICT, KIND),
)
