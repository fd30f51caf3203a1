"""The folder `trust.drop_dir`: whoever may write it leaves a bundle there for the agent.

Rule: looked into when somebody says so and before a dial, never on a timer. What lies in it is
signed, so it is only asked for; the core decides, and what was not taken is a warning.

Source: design section 7, R9.
"""

from ..core.events import Asked
from ..errors import AgentError, plain
from .folder import open_folder

_LAST = "timestamp.json"
_FILES_AT_MOST = 256
_REMEDY = "put a whole bundle there that this device's keys signed, timestamp.json last"


class DropFolder:
    """path  "" for none; post  takes Asked; warn  called with (what, value, remedy)."""

    def __init__(self, path: str, post, warn) -> None:
        self._path, self._post, self._warn = path, post, warn
        self._url = "file:" + path
        self._stamp: tuple = ()

    def changed(self) -> bool:
        """True when what is in the folder is not what was asked for."""
        return bool(self._path) and self._look()[0] != self._stamp

    def ask(self) -> None:
        """Have the folder's bundle taken, changed or not; nothing when it holds none."""
        if not self._path:
            return
        self._stamp, error = self._look()
        if error is not None:
            self._warn("trust.drop_dir: " + error.what, error.value, error.remedy)
        elif _LAST in [name for name, _ in self._stamp]:
            about = {"url": self._url, "layer": "vendor", "by": "drop"}
            self._post(Asked("roots_import", about, ""))

    def heard(self, name: str, about: dict) -> None:
        """A Tell of the core: nobody but this folder asks without waiting for an answer."""
        if name == "answer" and about["ask_id"] == "" and not about["ok"]:
            self._warn("bundle not taken: " + about["what"], about["value"] or self._path,
                       about["remedy"])
        elif name == "bundle" and "reason" in about and about["from"] == self._url:
            self._warn("bundle not taken: " + about["reason"], about["value"] or self._path,
                       _REMEDY)

    def _look(self) -> tuple[tuple, AgentError | None]:
        """(every name with its stamp, None), or (what is wrong, the same as an error)."""
        try:
            folder = open_folder(self._path)
            try:
                return tuple((name, folder.stamp(name)) for name in _some(folder.names())), None
            finally:
                folder.shut()
        except AgentError as error:
            return (error.what, error.value), error
        except OSError as error:
            wrong = AgentError("folder cannot be read", "%s (%s)" % (
                self._path, plain(error.strerror)), "correct its owner, or mount it again")
            return (wrong.what, wrong.value), wrong


def _some(names: list[str]) -> list[str]:
    """A folder of somebody's whole home must not cost a minute."""
    return names[:_FILES_AT_MOST] + [_LAST] * (_LAST in names[_FILES_AT_MOST:])
