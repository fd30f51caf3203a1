"""A device's slots and what works on them, without a core: orders in, events out.

Rule: errands run at once; everything is in a folder of the test's.
"""

import types

from anchorwatch.core import actions
from anchorwatch.linux.credential import Credential
from anchorwatch.linux.dial import Dialer
from anchorwatch.linux.resolve import Resolver
from anchorwatch.linux.rolls import Rolls
from anchorwatch.linux.slots import Slots
from anchorwatch.linux.store import open_store
from tests.linux.authority import NOW_S

CN = "dev-7"


class Here:
    """Runs an errand at once."""

    def start(self, work, done):
        done(work())


class Device:
    """perform(action) -> the events that it came to; `warned` what was told."""

    def __init__(self, folder, files=("", ""), kind="x509", lines=None, ders=(), **settings):
        self.folder, self.warned, self.events = folder, [], []
        self.dropped = folder / "drop"
        self.credential = Credential(kind, *files)
        self.config = _config(folder, str(self.dropped), settings)
        self.store = self.slots = None
        self.open()
        resolver = Resolver(lines or {}, None)
        found = {one.sha256: one.der for one in ders}

        own_roots = {"est": self.config.est.anchors_file}
        outward = types.SimpleNamespace(dialer=Dialer(
            resolver, found.__getitem__, self.slots.files, release=self.slots.release,
            own_roots=own_roots))
        self.rolls = Rolls(self.config, self.slots, self.credential, outward,
                           (Here(), self.events.append), self.warn)

    def open(self):
        """As a start does; what it finds."""
        self.store = open_store(self.config, self.warn)[0]
        if self.slots is None:
            self.slots = Slots(self.store, self.credential, self.warn)
        self.slots._store = self.store
        return self.slots.start(self.store.read())

    def warn(self, what, value, remedy, kind=""):
        self.warned.append((what, value, remedy))

    def perform(self, action):
        del self.events[:]
        self.rolls.perform[type(action)](action)
        return list(self.events)

    def one(self, action):
        """The only event of an action."""
        (event,) = self.perform(action)
        return event

    def key(self, slot="a", kind="p256"):
        return self.one(actions.NewKey(slot, kind))

    def csr(self, slot="a", cn=CN):
        return self.one(actions.MakeCsr(slot, cn))

    def install(self, chain, slot="a", cn=CN, issuer="est", at_s=NOW_S):
        return self.one(actions.Install(slot, chain, cn, issuer, at_s))

    def text(self):
        """Every byte of the state's folder."""
        return b"".join(file.read_bytes() for file in sorted((self.folder / "state").iterdir())
                        if file.is_file())


def _config(folder, drop_dir, settings):
    identity = {"key_command": (), "wipe_command": (), "command": (), "drop_dir": drop_dir}
    est = {"label": "", "anchors_file": "", "auth_file": ""}
    for table in (identity, est):
        table.update({name: settings[name] for name in table if name in settings})
    return types.SimpleNamespace(
        state=types.SimpleNamespace(dir=str(folder / "state")),
        trust=types.SimpleNamespace(site_dir=""),
        identity=types.SimpleNamespace(**identity), est=types.SimpleNamespace(**est))
