"""Stories of a whole agent: a signed bundle applied, on trial, committed, taken back; site roots.

Rule: a story says what is presented and asked, and until when; the agent does the rest.
"""

import atexit
import base64
import pathlib
import shutil
import tempfile

from anchorwatch.pki.der import anchor_entry
from tests.core import signed
from tests.powercut.calls import on
from tests.powercut.device import agent
from tests.powercut.stories import opened, save
from tests.powercut.strikes import Stopped
from tests.powercut.survey import Found, Story
from tests.timelines.replay import HUB, kept

G2, G3, ECC = signed.NAMES
MINUTE_MS = 60_000


def sha_of(name):
    """The SHA-256 of a real root by its file's name."""
    return signed.certificate(name)[1]["sha256"]


BOTH_G2 = {"hub": sha_of(G2), "dps": sha_of(G2)}
HUB_ONLY = {"hub": sha_of(G2), "dps": None}
BOTH_G3 = {"hub": sha_of(G3), "dps": sha_of(G3)}
HUB_G3 = {"hub": sha_of(G3), "dps": sha_of(G2)}
NO_LINE = {"hub": None, "dps": None}


class World:
    """The integrator: a factory folder with a root of trust, and bundles by their versions."""

    def __init__(self):
        self._maker = signed.Maker()
        self.factory = tempfile.mkdtemp(prefix="factory-")
        atexit.register(shutil.rmtree, self.factory, True)
        folder = pathlib.Path(self.factory)
        shutil.copy(signed.ROOTS / (G2 + ".pem"), folder)
        (folder / "vendor.root.json").write_bytes(self._maker.roots[0])
        self.bundles = {}
        self.bundles[1] = self._bundle(1, (G2, G3))
        self.refreshed = dict(self.bundles[1], **self._timestamp())
        self.bundles[2] = self._bundle(2, (G2, G3, ECC))
        self.bundles[3] = self._bundle(3, (ECC,))

    def _timestamp(self):
        """A newer timestamp over what was published last."""
        part = self._maker.timestamp
        part.version += 1
        return {"timestamp.json": signed.signed(part, self._maker.signers["timestamp"]).decode()}

    def _bundle(self, version, names):
        maker = self._maker
        maker.timestamp.version += 1
        for part in (maker.targets, maker.snapshot):
            part.version = version
        maker.files, maker.targets.targets = {}, {}
        maker.put_trust(signed.trust_tree(version, names))
        return {name: base64.b64encode(data).decode() if name.endswith(".der") else data.decode()
                for name, data in maker.published().items()}


_WORLDS = []


def world():
    """One integrator for a whole run: its keys cost time."""
    if not _WORLDS:
        _WORLDS.append(World())
    return _WORLDS[0]


def _boot(presents, reached):
    def boot(calls, ledger):
        with agent(calls, ledger, world().factory, presents) as device:
            device.settle()
            wrong = ["nothing is offered to " + endpoint for endpoint in device.bare()]
            wrong += ["not offered what was in force: " + e for e in device.cut_off() if reached]
            wrong += ["bundle/%d is named and not whole" % n for n in device.missing()]
            damaged = [" ".join(parts[:2]) for parts in device.warnings]
            return Found(device.texts, bool(damaged), wrong + damaged)
    return boot


def _bare_start(calls, ledger):
    with on(calls):
        store, _ = opened(calls)
        store.read()
        save(store, ledger, "assignment", kept(HUB)["assignment"])


def _prepared(*acts):
    """prepare(): an assigned device on which these (presents, act) were played."""
    def prepare(calls, ledger):
        _bare_start(calls, ledger)
        for presents, act in acts:
            with agent(calls, ledger, world().factory, presents) as device:
                act(device)
    return prepare


def _played(presents, act):
    def play(calls, ledger):
        with agent(calls, ledger, world().factory, presents) as device:
            act(device)
    return play


def _is(stage, version=None):
    def done(device):
        record = device.record()
        return record["stage"] == stage and version in (None, record["version"])
    return done


def _wait(device, done):
    if not device.run(done, 20 * MINUTE_MS):
        raise Stopped("the story did not come to its end: %r" % device.record())
    device.run(lambda device: False, MINUTE_MS)


def _ok(answer):
    if answer is not None and not answer["ok"]:
        raise Stopped("refused: %r" % answer)


def online(device):
    """A session with both endpoints seen."""
    device.run(lambda device: device.watch.connection.state == "online")
    device.run(lambda device: False, 60 * MINUTE_MS)


def brought(version, stage):
    """act: this bundle is imported and comes to this stage."""
    def act(device):
        answer = device.ask("roots_import", files=world().bundles[version])
        _wait(device, _is(stage, version))
        _ok(answer)
    return act


def refreshed(device):
    """act: the same bundle comes under newer metadata, into a folder of its own."""
    before = device.record()["folder"]
    device.ask("roots_import", files=world().refreshed)
    _wait(device, lambda device: device.record()["folder"] > before)


def reaches(stage):
    """act: what is under way comes to this stage."""
    def act(device):
        _wait(device, _is(stage))
    return act


def taken_back(device):
    """act: the operator reverts."""
    answer = device.ask("roots_revert", layer="vendor")
    _ok(answer)
    _wait(device, _is("reverted"))


def added(name):
    """act: a root is added to the site layer."""
    def act(device):
        pem = (signed.ROOTS / (name + ".pem")).read_text()
        entry = anchor_entry(signed.certificate(name)[0])
        _ok(device.ask("roots_add", entry=entry, pem=pem))
        device.run(lambda device: False, MINUTE_MS)
    return act


def distrusted(name):
    """act: a root is distrusted."""
    def act(device):
        _ok(device.ask("roots_distrust", sha256=sha_of(name)))
        device.run(lambda device: False, MINUTE_MS)
    return act


def _both(*acts):
    def act(device):
        for one in acts:
            one(device)
    return act


def _goes_on(version):
    """act: after a cut an hour online, then another bundle."""
    def act(device):
        online(device)
        device.ask("roots_import", files=world().bundles[version])
        device.run(lambda device: False, 60 * MINUTE_MS)
    return act


def _story(name, prepare, presents, act, later=2, reached=True):
    """reached: what is presented is trusted before, so it must be after every cut."""
    then = {endpoint: presents[endpoint] or sha_of(G2) for endpoint in presents}
    return Story(name, prepare, _played(presents, act), _played(then, _goes_on(later)),
                 _boot(presents, reached))


_ONLINE = _prepared((BOTH_G2, online))
_CANDIDATE = _prepared((BOTH_G2, online), (NO_LINE, brought(1, "candidate")))
_COMMITTED = _prepared((BOTH_G2, _both(online, brought(1, "committed"))))
_TWO = _prepared((BOTH_G2, _both(online, brought(1, "committed"), brought(2, "committed"))))

STORIES = (
    _story("apply bundle", _ONLINE, NO_LINE, brought(1, "candidate")),
    _story("trial", _CANDIDATE, HUB_ONLY, reaches("trial")),
    _story("commit", _CANDIDATE, BOTH_G2, reaches("committed")),
    _story("bundle for a stranded device", _ONLINE, BOTH_G3, brought(1, "committed"), 2, False),
    _story("next bundle", _COMMITTED, BOTH_G3, brought(2, "committed")),
    _story("same bundle, newer metadata", _COMMITTED, BOTH_G3, refreshed),
    _story("revert by the operator", _TWO, BOTH_G3, taken_back, 3),
    _story("revert by a verdict", _COMMITTED, HUB_G3, brought(3, "reverted"), 3),
    _story("roots add, distrust", _ONLINE, BOTH_G2, _both(added(G3), added(ECC), distrusted(G3))),
)

# With a read error in the bundle in force nothing accepts the hub's chain, so no verdict can count
# against the candidate (R4): that it is taken is no fault of the disk's handling.
FOR_ERRORS = tuple(story._replace(boot=_boot(HUB_G3, False))
                   if story.name == "revert by a verdict" else story for story in STORIES)
