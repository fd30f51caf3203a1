"""A board's credential and slots without a core: orders in, events out, both as JSON.

    micropython board_roll.py FOLDER        FOLDER/orders.json: [["NewKey", "a", "p256"], ...]

Beside the actions: ["look"] looks into the drop folder, ["read", KIND, CERT, KEY] describes a
configured credential, ["files", SLOT, CERT, KEY] gives what TLS would get, ["element", CERT, KEY]
describes one whose key is in a secure element, ["wipe", CERT, KEY] ends a configured key.
"""

import binascii
import hashlib
import json
import sys

from anchorwatch_board.credential import Credential
from anchorwatch_board.keyfiles import key_der, read
from anchorwatch_board.rolls import Rolls
from anchorwatch_board.slots import Slots
from anchorwatch_board.store import open_store

from anchorwatch.core import actions
from anchorwatch.errors import AgentError
from anchorwatch.pki.asn1 import SEQUENCE
from anchorwatch.pki.derwrite import element, unsigned
from anchorwatch.pki.p256 import N
from anchorwatch.pki.p256sign import public
from anchorwatch.pki.private import Private

CHAIN = 1  # of Install, the place of what is base64 here


class Config:
    """As much of a configuration as a roll asks for."""

    def __init__(self, folder):
        self.state = self.trust = self.identity = self
        self.dir, self.site_dir, self.drop_dir = folder + "/state", "", folder + "/drop"
        self.issuer = "files"


def text_of(value):
    """JSON has no bytes."""
    if isinstance(value, bytes):
        return binascii.b2a_base64(value).strip().decode()
    return value


class Board:
    def __init__(self, folder):
        self.events, self.warned = [], []
        config = Config(folder)
        store = open_store(config, self.warn)[0]
        self.credential = Credential("x509", "", "")
        self.slots = Slots(store, self.credential, self.warn)
        self.found = self.slots.start(store.read())
        self.rolls = Rolls(config, self.slots, self.credential, self.events.append, self.warn)

    def warn(self, what, value, remedy):
        self.warned.append([what, value, remedy])

    def do(self, name, *given):
        own = getattr(self, "_" + name, None)
        if own is not None:
            return own(*given)
        kind, given = getattr(actions, name), list(given)
        if name == "Install":
            given[CHAIN] = [binascii.a2b_base64(text) for text in given[CHAIN]]
        del self.events[:]
        self.rolls.perform[kind](kind(*given))
        return self._events()

    def _look(self):
        del self.events[:]
        self.rolls.look()
        return self._events()

    def _events(self):
        return [
            [type(e).__name__] + [_plain(getattr(e, name)) for name in e.fields]
            for e in self.events
        ]

    def _read(self, kind, *files):
        credential = Credential(kind, *files)
        found = credential.read()
        return [found, text_of(credential.sign(b"to sign")), credential.changed()]

    def _files(self, slot, *files):
        slots = Slots(self.slots._store, Credential("x509", *files), self.warn)
        chain, key = slots.files(slot)
        return [[text_of(der) for der in chain], text_of(key)]

    def _element(self, certificate, key):
        secret = Private(key_der(read(key, "key"), key), key).secret
        credential = Credential(
            "x509", certificate, "in the element", lambda digest: signature(secret, digest)
        )
        return [credential.read(), text_of(credential.files("onboarding")[1]), credential.wipe()]

    def _wipe(self, *files):
        return Credential("x509", *files).wipe()


def signature(secret, digest):
    """What an element would make: a nonce of its own, no message but a digest."""
    k = int.from_bytes(hashlib.sha256(digest + b"nonce").digest(), "big") % N
    r = int.from_bytes(public(k)[1:33], "big") % N
    s = pow(k, N - 2, N) * (int.from_bytes(digest, "big") + r * secret) % N
    return element(SEQUENCE, unsigned(r), unsigned(s))


def _plain(value):
    return [text_of(one) for one in value] if isinstance(value, list) else text_of(value)


def main(folder):
    with open(folder + "/orders.json") as file:
        orders = json.load(file)
    board, answers = Board(folder), []
    for order in orders:
        try:
            answers.append(board.do(*order))
        except AgentError as error:
            answers.append(["error", error.what, error.value, error.remedy])
    print(json.dumps({"found": board.found, "answers": answers, "warned": board.warned}))


if __name__ == "__main__":
    main(sys.argv[1])
