"""What a store is asked for, one class a story; and recipes that lose what they acknowledged."""

from anchorwatch_board.folder import Folder, fill
from anchorwatch_board.slots import Slots
from anchorwatch_board.store import open_store

from anchorwatch.core.actions import Prove
from anchorwatch.performers.bundles import Bundles
from anchorwatch.wire import frame

STATE = "/cut/state"
BOTH = ("VfsLfs2", "VfsFat")
SECRET = b"-the-bytes-of-a-key-"


class Config:
    """As much of a configuration as the store asks for."""

    class state:  # noqa: N801
        dir = STATE

    class trust:  # noqa: N801
        site_dir = ""


def opened():
    return open_store(Config, lambda *told: None)[0]


class Story:
    """prepare, then play with a ledger; start after a cut, and go on."""

    name, disks = "", BOTH

    def prepare(self):
        self.store = opened()
        self.store.read()

    def start(self):
        self.store = opened()
        return self.store.read()

    def goes_on(self):
        """Whether the store still takes what it is given, and gives it back."""
        for number in (1, 2):
            self.store.save("clock", {"again": number})
        return opened().read().get("clock") == {"again": 2}

    def save(self, ledger, name, body):
        ledger.did(name, body, self.store.save, name, body)


class Saves(Story):
    name = "saves within their room"

    def play(self, ledger):
        for number in range(3):
            self.save(ledger, "clock", {"n": number})
            self.save(ledger, "assignment", {"n": number, "hub": "h" * 500})


class FirstBoot(Story):
    name = "first boot"

    def prepare(self):
        pass

    def play(self, ledger):
        self.start()
        self.save(ledger, "clock", {"n": 1})
        self.start()
        self.save(ledger, "clock", {"n": 2})


class Growth(Story):
    name = "a body that outgrows its room"

    def play(self, ledger):
        for size in (100, 900, 1500, 4000, 200):
            self.save(ledger, "clock", {"text": "x" * size})
        self.save(ledger, "budgets", {"n": 1})


class Keys(Story):
    name = "keys filled and wiped"

    def play(self, ledger):
        key = {"key": SECRET.decode() + "x" * 300}
        self.save(ledger, "slot-a", key)
        self.save(ledger, "slot-a", dict(key, chain="y" * 900))
        self.save(ledger, "slot-b", {"key": "the other"})
        ledger.did("slot-a", None, self.store.wipe, "slot-a")
        ledger.gone(SECRET)
        self.save(ledger, "slot-a", {"key": "a new one"})


class Site(Story):
    name = "site files"

    def start(self):
        found = super().start()
        data = Folder(STATE + "/site").read("distrust", 10_000)
        return dict(found, distrust=None if data is None else data.decode())

    def play(self, ledger):
        self.save(ledger, "clock", {"n": 1})
        for number in (1, 2):
            text = ("%d\n" % number) * 600
            ledger.did("distrust", text, self.store.save, "site/distrust", text)


class Bundle(Story):
    """What the frame names is whole, whatever became of the folders that it does not name."""

    name = "bundles written and swept"

    def start(self):
        found = super().start()
        self.bundles = Bundles(Folder(STATE), fill, lambda layer: None, "global",
                               lambda *told: None)
        trust = found.get("trust")
        self.bundles.start(trust, self.store.whole("trust"))
        number = trust["bundles"]["vendor"]["folder"] if trust else 0
        if self.bundles.stored("vendor") != (_content(number) if number else {}):
            raise ValueError("bundle %d is not whole" % number)
        return found

    def play(self, ledger):
        self.start()
        for number in (1, 2, 3):
            if self.bundles.write("vendor", _content(number)) != number:
                raise ValueError("not the next number")
            record = {"folder": number, "in_force": 0, "previous": 0, "spare": 0}
            trust = {"bundles": {"vendor": dict(record, stage="rooted")}}
            self.save(ledger, "trust", trust)
            self.bundles.saved(trust)


def _content(number):
    return {"root.json": b"%d" % number * 700, "trust.json": b"%d" % number}


class Roll(Story):
    """The driver's part of a roll: at no moment is there no slot, or a key without its request."""

    name = "a roll of the device's key"

    def play(self, ledger):
        slots = Slots(self.store, None, lambda *told: None)
        for slot, other in (("a", "b"), ("b", "a")):
            made = {"key": slot * 1600, "csr": "", "chain": [], "issuer": ""}
            ledger.did("slot-" + slot, made, slots.fill, slot, made["key"])
            for news in ({"csr": "c" * 400}, {"chain": ["d" * 900, "e" * 900], "issuer": "dps"}):
                made = dict(made, **news)
                ledger.did("slot-" + slot, made, slots.write, slot, made)
            self.save(ledger, "identity", {"active": slot})
            proof = {"hub": "h" * 40}, {"accepted": {"hub": 1}, "refused_by_dps": False}
            made = dict(made, assignment=proof[0], evidence=proof[1])
            ledger.did("slot-" + slot, made, slots.prove, Prove(slot, *proof))
            ledger.did("slot-" + other, None, slots.wipe, other)
        ledger.gone(b"a" * 200)


class OneSlot(Story):
    """Wrong on FAT: a cut in the middle leaves neither the old frame nor the new one."""

    name, disks = "wrong: one slot, in place", ("VfsFat",)

    def prepare(self):
        super().prepare()
        Folder(STATE).blank("clock.0", 2048)

    def play(self, ledger):
        for number in range(2):
            body = {"n": number, "text": "x" * 700}
            data = frame.encode(2, frame.dump(body))
            ledger.did("clock", body, Folder(STATE).over, "clock.0", data)


class Unsynced(Story):
    """Wrong everywhere: what is acknowledged is still in the file system's memory."""

    name = "wrong: acknowledged before it is flushed"

    def play(self, ledger):
        for number in (1, 2):
            body = {"n": number}
            data = frame.encode(number, frame.dump(body))
            self.file = open(STATE + "/clock.%d" % (number & 1), "wb")
            ledger.did("clock", body, self.file.write, data)
            self.file.close()


class ForgottenKey(Story):
    """Wrong on LittleFS: what is overwritten stays where it was, in a block that nobody uses."""

    name, disks = "wrong: a key overwritten and no more", ("VfsLfs2",)

    def play(self, ledger):
        self.save(ledger, "slot-a", {"key": SECRET.decode() + "x" * 300})
        self.store._folder.erase_free = lambda pause: None
        ledger.did("slot-a", None, self.store.wipe, "slot-a")
        ledger.gone(SECRET)
        self.save(ledger, "clock", {"n": 1})


STORIES = (Saves, FirstBoot, Growth, Keys, Site, Bundle, Roll)
WRONG = (OneSlot, Unsynced, ForgottenKey)
