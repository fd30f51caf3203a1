"""The folder `trust.drop_dir`: whoever may write it leaves a bundle there for the agent.

Rule: looked into when somebody says so and before a dial, never on a timer. What lies in it is
signed, so it is only asked for; the core decides, and what was not taken is a warning.

Source: design section 7, R9.
"""

from ..core.events import Asked
from ..core.shapes import Any_, Tree
from ..errors import AgentError, why

_LAST = "timestamp.json"
_REMEDY = "put a whole bundle there that this device's keys signed, timestamp.json last"


class DropFolder:
    """path     "" for none
    open_      path -> folder with names(), stamp(name) and shut(); raises AgentError, OSError
    at_most    files that are looked at: a folder of somebody's whole home must not cost a minute
    post       takes Asked
    warn       called with (what, value, remedy)
    """

    def __init__(self, path: str, open_: Any_, at_most: int, post: Any_, warn: Any_) -> None:
        self._path, self._open, self._at_most = path, open_, at_most
        self._post, self._warn = post, warn
        self._url = "file:" + path
        self._seen: list[Any_] = []

    def changed(self) -> bool:
        """True when what is in the folder is not what was asked for."""
        return bool(self._path) and self._look() != self._seen

    def ask(self) -> None:
        """Have the folder's bundle taken, changed or not; nothing when it holds none."""
        if not self._path:
            return
        try:
            self._seen = self._listed()
        except AgentError as error:
            self._seen = _wrong(error)
            self._warn("trust.drop_dir: " + error.what, error.value, error.remedy)
            return
        if _LAST in [name for name, _ in self._seen]:
            about = {"url": self._url, "layer": "vendor", "by": "drop"}
            self._post(Asked("roots_import", about, ""))

    def heard(self, name: str, about: Tree) -> None:
        """A Tell of the core: nobody but this folder asks without waiting for an answer."""
        if name == "answer" and about["ask_id"] == "" and not about["ok"]:
            self._warn("bundle not taken: " + about["what"], about["value"] or self._path,
                       about["remedy"])
        elif name == "bundle" and "reason" in about and about["from"] == self._url:
            self._warn("bundle not taken: " + about["reason"], about["value"] or self._path,
                       _REMEDY)

    def _look(self) -> list[Any_]:
        try:
            return self._listed()
        except AgentError as error:
            return _wrong(error)

    def _listed(self) -> list[Any_]:
        """[(name, stamp)] of what lies there. Raises AgentError."""
        try:
            folder = self._open(self._path)
            try:
                names = folder.names()
                names = names[:self._at_most] + [_LAST] * (_LAST in names[self._at_most:])
                return [(name, folder.stamp(name)) for name in names]
            finally:
                folder.shut()
        except OSError as error:
            raise AgentError("folder cannot be read", "%s (%s)" % (self._path, why(error)),
                             "make it, correct its owner, or mount it again")


def _wrong(error: AgentError) -> list[Any_]:
    return [(error.what, error.value)]
