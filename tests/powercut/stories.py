"""Stories of the store alone: frames, plain files of the site layer, wiping, the first start.

Rule: they drive `open_store` as the daemon does, and check nothing themselves.
"""

import os
from types import SimpleNamespace

from anchorwatch.errors import StateError, reason_of
from anchorwatch.linux.store import FRAMES, open_store
from tests.powercut.calls import on
from tests.powercut.ledger import text_of
from tests.powercut.survey import Found, Story

STATE = "/var/lib/anchorwatch"
CONFIG = SimpleNamespace(state=SimpleNamespace(dir=STATE), trust=SimpleNamespace(site_dir=""))
SHA = "cd" * 32
PEM = "site/%s.pem" % SHA
SECRET = "KEY OF THE DEVICE " * 50


def opened(calls, warn=lambda *parts: None):
    """(Store, site's Folder), locked, as the daemon has them."""
    store, site = open_store(CONFIG, warn)
    store.lock()
    return store, site


def boot(calls, ledger):
    """Read everything there is."""
    warnings, wrong = [], []
    with on(calls):
        store, site = opened(calls, lambda *parts: warnings.append(parts))
        texts = {}
        try:
            texts = {name: text_of(tree) for name, tree in store.read().items()}
        except StateError as error:
            wrong.append(str(error))
        if site is None:
            wrong.append("no site folder")
        else:
            texts.update({"site/" + n: site.read(n, 1 << 20) for n in site.names()
                          if not n.endswith(".tmp")})
    return Found(texts, bool(warnings), wrong)


def save(store, ledger, name, body):
    """One save that is told."""
    ledger.begin(name, body)
    store.save(name, body)
    ledger.acknowledge(name)


def wipe(store, ledger, name):
    """One wipe that is told."""
    ledger.begin(name, None)
    store.wipe(name)
    ledger.acknowledge(name)


def _tried(deed):
    """The deed as the agent does it: a disk that refuses is an answer, and it goes on."""
    def tried(store, ledger, *arguments):
        try:
            deed(store, ledger, *arguments)
        except OSError as error:
            assert reason_of(error) in ("full", "read-only", "io")
    return tried


def nothing(calls, ledger):
    """A bare disk."""


def _tree(number):
    return {"n": number, "filler": "x" * 1200}      # three chunks


def started(*saves):
    """prepare() that has started once and saved this."""
    def prepare(calls, ledger):
        with on(calls):
            store, _ = opened(calls)
            store.read()
            for name, body in saves:
                save(store, ledger, name, body)
    return prepare


def _play(*deeds, must=False):
    def play(calls, ledger):
        with on(calls):
            store, _ = opened(calls)
            store.read(FRAMES)
            for deed, *arguments in deeds:
                (deed if must else _tried(deed))(store, ledger, *arguments)
    return play


def _next_saves(calls, ledger):
    """Whatever it was, the next saves of a frame and of a site's file."""
    _play((save, "trust", _tree(9)), (save, "site/distrust", "ef" * 32 + "\n"), must=True)(
        calls, ledger)


def _wipe_again(calls, ledger):
    _play((wipe, "slot-a"), (save, "slot-a", {"key": "other"}), must=True)(calls, ledger)


STORIES = (
    Story("first start, first save", nothing, _play((save, "trust", _tree(1))), _next_saves, boot),
    Story("two saves", started(("trust", _tree(1))),
          _play((save, "trust", _tree(2)), (save, "trust", _tree(3))), _next_saves, boot),
    Story("saves of three files", started(("assignment", {"hub": "a"}), ("clock", {"floor": 1})),
          _play((save, "clock", {"floor": 2}), (save, "assignment", {"hub": "b"}),
                (save, "trust", _tree(1)), (save, "clock", {"floor": 3})), _next_saves, boot),
    Story("wipe", started(("slot-a", {"key": SECRET}), ("slot-a", {"key": SECRET, "n": 2})),
          _play((wipe, "slot-a")), _wipe_again, boot),
    Story("site add, distrust", started((PEM, "OLD\n"), ("trust", _tree(1))),
          _play((save, PEM, "PEM\n" * 300), (save, "site/distrust", SHA + "\n")),
          _next_saves, boot),
)


def mode_of(image, name):
    """The mode of a path in an image, under the state's folder."""
    return image[os.path.join(STATE, name)][1]
