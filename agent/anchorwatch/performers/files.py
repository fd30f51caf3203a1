"""Files that others change while the agent runs: the site layer, the drop folder, the credential.

Rule: they are looked at when somebody says so and before a dial, never on a timer.
"""

from ..core.events import CredentialRead, LayerRead
from ..core.shapes import Any_
from ..errors import AgentError


class Files:
    """Posts LayerRead and CredentialRead when what they come from has changed.

    layers, credential  read again here
    drop    the drop folder, which is asked for whenever the site layer is read: so what is warned
            of and still wrong is warned of again
    start   (work, done): done(work()), at once or when a thread has ended: a child process may
            read the credential
    reread  called with "trust" before the site layer is read: what is not warned of again is over
    also    called whenever all of this is looked at, for what else may have come
    """

    def __init__(self, layers: Any_, drop: Any_, credential: Any_, start: Any_, post: Any_,
                 warn: Any_, reread: Any_, also: Any_) -> None:
        self._layers, self._drop, self._credential = layers, drop, credential
        self._start, self._post, self._warn = start, post, warn
        self._reread, self._also = reread, also

    def look(self, credential: bool) -> None:
        """Read again what has changed; the credential only when asked for."""
        if self._layers.site_changed() or self._drop.changed():
            self.read_site()
        if credential and self._credential.changed():
            self.read_credential()
        self._also()

    def read_site(self) -> None:
        """The site layer and the drop folder, changed or not."""
        self._reread("trust")
        site = self._layers.read_site()
        self._post(LayerRead("site", site["anchors"], site["distrust"]))
        self._drop.ask()

    def read_credential(self) -> None:
        """The credential, changed or not."""
        self._start(self._read, self._take)

    def _read(self) -> Any_:
        try:
            return self._credential.read()
        except AgentError as error:
            return error

    def _take(self, found: Any_) -> None:
        if isinstance(found, AgentError):
            self._warn(found.what, found.value, found.remedy)
        else:
            self._post(CredentialRead(found))
