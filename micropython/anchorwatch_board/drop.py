"""The folder `trust.drop_dir`: whoever may write it leaves a bundle there for the agent.

Rule: looked into before a dial, never on a timer. What lies in it is signed, so it is only asked
for; the core decides, and what was not taken is a warning.

Source: design section 7, R9.
"""

from anchorwatch.core.events import Asked

from .folder import Folder, reason_of

_LAST = "timestamp.json"
_FILES_AT_MOST = 64
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
        self._stamp, wrong = self._look()
        if wrong:
            self._warn("trust.drop_dir cannot be read", "%s (%s)" % (self._path, wrong), "make it")
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

    def _look(self) -> tuple:
        """(every name with its stamp, ""), or (what is wrong, the same)."""
        folder = Folder(self._path)
        try:
            names = folder.names()
        except OSError as error:
            return (reason_of(error),), reason_of(error)
        listed = names[:_FILES_AT_MOST] + [_LAST] * (_LAST in names[_FILES_AT_MOST:])
        return tuple([(name, folder.stamp(name)) for name in listed]), ""
