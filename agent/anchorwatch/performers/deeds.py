"""Actions performed at once, on this device: state, signature, and what goes with a link's action.

Rule: each posts its own answer; a disk that refuses is an answer, not a crash.
"""

from ..core import actions
from ..core.events import Saved, SaveFailed, Signed
from ..core.shapes import Any_, Performers
from ..errors import StateError, reason_of
from .store import SITE


class Deeds:
    """`perform` is put over that of the links, which it calls."""

    def __init__(self, links: Any_, telemetry: Any_, files: Any_, store: Any_, layers: Any_,
                 bundles: Any_, slots: Any_, post: Any_) -> None:
        self._links, self._telemetry, self._files = links, telemetry, files
        self._store, self._layers, self._bundles = store, layers, bundles
        self._slots, self._post = slots, post
        self.perform: Performers = {
            actions.Dial: self._dial, actions.Connect: self._connect, actions.Swap: self._swap,
            actions.Feed: self._feed, actions.Save: self._save, actions.Wipe: self._wipe,
            actions.Sign: self._sign,
        }  # fmt: skip

    def _dial(self, action: Any_) -> None:
        self._files.look(action.slot is not None)
        self._links.dial(action)

    def _connect(self, action: Any_) -> None:
        self._telemetry.connecting(action.link, action.client_id)
        self._links.connect(action)

    def _swap(self, action: Any_) -> None:
        self._telemetry.swapped()
        self._links.swap(action)

    def _feed(self, action: Any_) -> None:
        self._telemetry.feeding(action.link)
        self._links.feed(action)

    def _sign(self, action: Any_) -> None:
        self._post(Signed(action.purpose, self._slots.sign(action.data, action.slot)))

    def _save(self, action: Any_) -> None:
        try:
            generation = self._store.save(action.name, action.body)
        except OSError as error:
            self._post(SaveFailed(action.name, reason_of(error)))
            return
        except StateError:
            self._post(SaveFailed(action.name, "full"))
            return
        if action.name.startswith(SITE):
            self._layers.written()
        else:
            self._layers.learn(action.body)
        if action.name == "trust":
            self._bundles.saved(action.body)
        self._post(Saved(action.name, generation))

    def _wipe(self, action: Any_) -> None:
        try:
            self._store.wipe(action.name)
        except OSError as error:
            self._post(SaveFailed(action.name, reason_of(error)))
        else:
            self._post(Saved(action.name, 0))
