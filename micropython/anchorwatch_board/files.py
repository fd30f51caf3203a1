"""Files that others change while the agent runs: the site layer, the drop folder, the credential.

Rule: they are looked at before a dial and when somebody says so, never on a timer.
"""

from anchorwatch.core.events import CredentialRead, LayerRead
from anchorwatch.errors import AgentError


class Files:
    """Posts LayerRead and CredentialRead when what they come from has changed.

    reread  called with "trust" before the site layer is read: what is not warned of again is over
    drop    the drop folder; also  called whenever all of this is looked at
    """

    def __init__(self, layers, drop, credential, post, warn, reread, also):
        self._layers, self._drop, self._credential = layers, drop, credential
        self._post, self._warn, self._reread, self._also = post, warn, reread, also

    def look(self, credential):
        """Read again what has changed; the credential only when asked for."""
        if self._layers.site_changed() or self._drop.changed():
            self.read_site()
        if credential and self._credential.changed():
            self.read_credential()
        self._also()

    def read_site(self):
        """The site layer and the drop folder, changed or not."""
        self._reread("trust")
        site = self._layers.read_site()
        self._post(LayerRead("site", site["anchors"], site["distrust"]))
        self._drop.ask()

    def read_credential(self):
        """The credential, changed or not."""
        try:
            self._post(CredentialRead(self._credential.read()))
        except AgentError as error:
            self._warn(error.what, error.value, error.remedy)
