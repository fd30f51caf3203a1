"""The state's frames, each in two slots: which there are, which one counts, and what is damaged.

Rule: who was told a generation finds it after a power cut, and whoever was not finds it or the one
before. How bytes come onto a disk or a flash is the driver's.

Source: contract of the state directory; frame in wire/frame.py.
"""

from ..core.shapes import Any_, Tree
from ..errors import AgentError, StateError
from ..wire import frame

FRAMES = ("assignment", "budgets", "clock", "crash", "cursor", "identity", "slot-a", "slot-b",
          "trust")
SECRET = ("slot-a", "slot-b")
SITE = "site/"
_HEX = "0123456789abcdef"


class Store:
    """Reads. A driver's subclass saves and wipes, and keeps `_generations`, which count now, and
    `_suspect`, of which no slot could be read: what is there must not win over what is saved.

    slot    file -> the frame in it, None without one; raises OSError
    unread  (OSError, file) -> what is told of it; StateError where that must stop the start
    warn    called with (what, value, remedy) when damage was found and survived
    """

    def __init__(self, slot: Any_, unread: Any_, warn: Any_) -> None:
        self._slot, self._unread, self._warn = slot, unread, warn
        self._generations: dict[str, int] = {}
        self._damaged: set[str] = set()
        self._suspect: set[str] = set()

    def read(self, names: tuple[str, ...] = FRAMES) -> Tree:
        """{name: tree} of what is there; damage is told to `warn`.

        Raises  StateError: written by a newer anchorwatch, or see `unread`
        """
        trees = {}
        for name in names:
            tree = self._read_frame(name)
            if tree is not None:
                trees[name] = tree
        return trees

    def whole(self, name: str) -> bool:
        """Whether every slot of it that there is could be read."""
        return name not in self._damaged

    def newest(self, name: str) -> Any_:
        """The body as it is stored now, None without a whole one. It changes nothing and warns of
        nothing, so an errand may call it."""
        best, found = -1, None
        for file in _files(known(name)):
            try:
                generation, body = frame.decode(self._slot(file) or b"")
                if generation > best:
                    best, found = generation, frame.load(body)
            except (OSError, AgentError):
                continue
        return found

    def _read_frame(self, name: str) -> Any_:
        whole: dict[int, Any_] = {}
        torn = []
        for file in _files(name):
            try:
                data = self._slot(file)
                if data is not None:
                    generation, body = frame.decode(data)
                    whole[generation] = frame.load(body)
            except StateError as error:
                if error.verdict == "newer":
                    raise
                torn.append((file, error.value))
            except OSError as error:
                torn.append((file, self._unread(error, file)))
        return self._chosen(name, whole, torn)

    def _chosen(self, name: str, whole: dict[int, Any_], torn: list[tuple[str, str]]) -> Any_:
        for file, how in torn:
            remedy = "the other slot is used" if whole else "the agent begins anew without it"
            self._warn("state file is damaged", "%s (%s)" % (file, how), remedy)
        if torn:
            self._damaged.add(name)
        if not whole:
            if torn:
                self._suspect.add(name)
            return None
        self._generations[name] = max(whole)
        return whole[max(whole)]


def slots(name: str, generation: int) -> tuple[str, str]:
    """The file of a generation, and the other one."""
    here = frame.slot(generation)
    return "%s.%d" % (name, here), "%s.%d" % (name, 1 - here)


def known(name: str) -> str:
    """The name of a frame that there is, or ValueError."""
    if name not in FRAMES:
        raise ValueError("no such state: %s" % name)
    return name


def site_file(name: str) -> str:
    """`site/<sha256>.pem` or `site/distrust` as a name in the site folder, or ValueError."""
    file = name[len(SITE):]
    stem = file[:-4] if file.endswith(".pem") else ""
    if file != "distrust" and (len(stem) != 64 or [c for c in stem if c not in _HEX]):
        raise ValueError("no such state: %s" % name)
    return file


def _files(name: str) -> tuple[str, str]:
    return "%s.0" % name, "%s.1" % name
