"""Files that others change while the agent runs: the site layer, the drop folder, the credential.

Rule: they are looked at when somebody says so (SIGHUP) and before a dial, never on a timer.
"""

from ..core.events import CredentialRead, LayerRead
from ..errors import AgentError


class Files:
    """Posts LayerRead and CredentialRead when what they come from has changed.

    reread  called with "trust" before the site layer is read: what is not warned of again is over

    layers, credential  read again here; the credential in an errand, since a child process reads it
    also                called whenever all of this is looked at, for what else may have come
    drop                the drop folder, which is asked for whenever the site layer is read: so what
                        is warned of and still wrong is warned of again
    """

    def __init__(self, layers, drop, credential, errands, post, warn, reread,
                 also=lambda: None) -> None:
        self._drop, self._also = drop, also
        self._layers, self._credential, self._errands = layers, credential, errands
        self._post, self._warn, self._reread = post, warn, reread

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
        self._errands.start(self._read, self._take)

    def _read(self):
        try:
            return self._credential.read()
        except AgentError as error:
            return error

    def _take(self, found) -> None:
        if isinstance(found, AgentError):
            self._warn(found.what, found.value, found.remedy)
        else:
            self._post(CredentialRead(found))
