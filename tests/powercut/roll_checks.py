"""What must hold of a device's own certificates on every disk that a cut may leave.

Rule: a key that was told as wiped is in no byte of the disk, under a name or not; and no byte of a
key is ever under no name, where no later wipe would find it.
"""

from anchorwatch.core.slots import NAMES, ONBOARDING
from anchorwatch.wire import frame
from tests.powercut import roll_cloud
from tests.powercut.disk import FILE, FOLDER, TOP, renamed
from tests.powercut.roll_slots import KEY_FILE, matched, text_in
from tests.powercut.survey import ALL, SEED, Effort, Survey

# As survey.AGENT and AGENT_FULL.
ROLL, ROLL_FULL = Effort(3, 2, 2, 1, 1, SEED), Effort(ALL, ALL, ALL, 12, 8, SEED)
_SUBSETS_OF = 6


def judged(device):
    """What is wrong with a device that has just started: sentences."""
    wrong = ["nothing is offered to " + endpoint for endpoint in device.bare()]
    wrong += ["not offered what was in force: " + endpoint for endpoint in device.cut_off()]
    wrong += ["bundle/%d is named and not whole" % number for number in device.missing()]
    wrong += ["warning: %s %s" % parts[:2] for parts in device.warnings
              if not _expected(device, parts)]
    slots = device.watch.identity.slots
    if slots.lost:
        wrong.append("the slot that serves is lost: " + slots.lost)
    named = [name for name in (slots.kept["active"], slots.kept["trial"], slots.kept["former"])
             if name and not _whole(device, name) and not _wiping(device, name)]
    wrong += ["slot %s is named and cannot be used" % name for name in named]
    if slots.kept["active"] in slots.held and not slots.open(slots.kept["active"]):
        wrong.append("a closed certificate is active")
    return wrong + device.wrong + device.unusable


def _wiping(device, name):
    """Whether a slot is being wiped, or was since the frame that names it."""
    return None in device.ledger.allowed("slot-" + name)


def _expected(device, parts):
    """What is being wiped may be met half wiped, and is said."""
    wiping = [name for name, texts in device.ledger.begun.items() if None in texts]
    about = "%s %s" % parts[:2]
    files = KEY_FILE in about and "gone/0" in device.ledger.names()
    return files or [name for name in wiping if name in about]


def _whole(device, name):
    """Key and certificate of a slot are there and belong together."""
    if name == ONBOARDING:
        return roll_cloud.number_of(text_in(device._calls, KEY_FILE)) == 0
    body = device._slots.held(name)
    return name in NAMES and body is not None and bool(body["chain"]) and matched(body) is not None


def proven(device, name):
    """Whether the frame of what serves says that the hub accepted it, where it has a frame."""
    if name == ONBOARDING:
        return True
    evidence = (device._slots.held(name) or {}).get("evidence", {})
    return "hub" in evidence.get("accepted", {})


def state_key(image, ledger):
    """Equal for disks with the same certificates, and the same said of them."""
    files = [(path, data) for path, (_, _, _, data) in sorted(image.items())
             if "/identity." in path or "/slot-" in path or path == KEY_FILE]
    gone = [name for name in ledger.said if name.startswith("gone/")]
    return hash((tuple(files), tuple(sorted(gone)), ledger.said.get("identity")))


def leaks(inodes, ledger):
    """Keys that were told as wiped, and are not."""
    gone = {int(name[5:]) for name in ledger.said if name.startswith("gone/")}
    gone -= {int(name[5:]) for name in ledger.begun if name.startswith("gone/")}
    text = ledger.said.get("identity")
    kept = frame.load(text) if text else {"closed": [], "breached": ""}
    if not kept["breached"]:
        gone |= {roll_cloud.number_of(one) for one in kept["closed"]}
    found = set()
    for inode in inodes.values():
        for data in _contents(inode):
            found |= {number for number in gone if roll_cloud.holds(data, number)}
    return ["key %d was told as wiped and is on the disk" % number for number in sorted(found)]


def orphans(inodes):
    """Files with a part of a key in them that some image of a cut would have no name for."""
    secret = {number for number, inode in inodes.items()
              if any(roll_cloud.numbers_in(data) for data in _contents(inode))}
    if not secret:
        return []
    lost = secret - _always_named(inodes)
    return ["a key would be left under no name (file %d)" % number for number in sorted(lost)]


def _contents(inode):
    """What of a file may be on the disk."""
    if inode.kind != FILE:
        return []
    return [inode.synced, *[data for _, data in inode.since if data]]


def named(disk):
    """Files that have a name as a running program sees it."""
    return _reached(disk.inodes, lambda inode, number: disk.seen(number).values())


def _always_named(inodes):
    """Files that have a name in every image."""
    return _reached(inodes, lambda inode, number: _kept_in(inode))


def _reached(inodes, inside):
    found, waiting = set(), [TOP]
    while waiting:
        number = waiting.pop()
        found.add(number)
        if inodes[number].kind == FOLDER:
            waiting += inside(inodes[number], number)
    return found


def _kept_in(folder):
    """Numbers that every image of a folder has."""
    changes = folder.since[-_SUBSETS_OF:]
    entries = folder.synced
    for change in folder.since[:-_SUBSETS_OF]:
        entries = renamed(entries, change)
    kept = None
    for bits in range(2 ** len(changes)):
        left = entries
        for at, change in enumerate(changes):
            left = renamed(left, change) if bits >> at & 1 else left
        kept = set(left.values()) if kept is None else kept & set(left.values())
    return kept


class RollSurvey(Survey):
    """A survey that looks at the bare disk of every cut, too."""

    def __init__(self, story, effort, tidy=True):
        super().__init__(story, effort)
        self._tidy, self._looked = tidy, set()

    def _images(self, cut, subsets, most, number):
        if not subsets:
            self._look(cut)
        return super()._images(cut, subsets, most, number)

    def _look(self, cut):
        key = hash((frozenset((n, i.kind, i.since, i.synced) for n, i in cut.inodes.items()
                              if i.kind == FILE), cut.ledger.key()))
        if key in self._looked:
            return
        self._looked.add(key)
        wrong = leaks(cut.inodes, cut.ledger) + (orphans(cut.inodes) if self._tidy else [])
        self.wrong += bool(wrong)
        for sentence in wrong:
            self._fault("before " + cut.call, sentence)

