"""The configured credential and the slots of a device on a model disk, as its driver keeps them.

Rule: what is written and wiped is the driver's own doing; here it is only noted.
"""

import os
import posixpath

from anchorwatch.errors import ConfigError
from anchorwatch.linux import credential
from anchorwatch.linux.slots import Slots
from anchorwatch.pki import issued
from anchorwatch.pki.der import Certificate
from anchorwatch.wire.encoding import base64_bytes
from tests.powercut import roll_cloud

CERTIFICATE_FILE, KEY_FILE = "/etc/anchorwatch/device.pem", "/etc/anchorwatch/device.key"


class FileCredential(credential.Credential):
    """The configured one; what the child would say of the files is worked out here."""

    def __init__(self, calls, age, note):
        super().__init__("x509", CERTIFICATE_FILE, KEY_FILE)
        self._calls, self._age, self._note = calls, age, note

    def read(self):
        """As the child describes it."""
        if roll_cloud.number_of(text_in(self._calls, KEY_FILE)) != 0:
            raise ConfigError("key is unreadable", KEY_FILE, "give it again")
        return _described("onboarding", roll_cloud.chain(0, self._age))

    def wipe(self):
        """Overwrite and remove the key."""
        self._note(KEY_FILE)
        return super().wipe()

    def _stamps(self):
        return ()


class NotedSlots(Slots):
    """What is written is noted in the ledger; `note` hears of a file that is wiped."""

    def __init__(self, store, configured, warn, ledger, note):
        super().__init__(store, configured, warn)
        self._ledger, self._note, self.done = ledger, note, {}

    def fill(self, name, key):
        """Wipe and write."""
        self._note("slot-" + name)
        self._ledger.begin("slot-" + name, None)
        super().fill(name, key)

    def write(self, name, body):
        """A slot's frame."""
        self._ledger.begin("slot-" + name, body)
        generation = super().write(name, body)
        self.done[name] = True
        return generation

    def wipe(self, name):
        """Overwrite and remove."""
        self._note("slot-" + name)
        self._ledger.begin("slot-" + name, None)
        super().wipe(name)
        self.done[name] = True


def text_in(calls, path):
    """A file as text, "" without one."""
    kind, _, _, data = calls.disk.image().get(path, ("", 0, 0, b""))
    return (data or b"").decode("latin-1")


def matched(body):
    """The number of a slot's key, if its certificate is for it."""
    number = roll_cloud.number_of(body["key"])
    leaf = Certificate(base64_bytes(body["chain"][0]))
    return number if roll_cloud.number_of(leaf.sha256) == number else None


def _described(slot, chain):
    return issued.described(slot, [Certificate(der) for der in chain], "files")


def put_files(calls):
    """The configured certificate and its key, as a factory leaves them."""
    calls.makedirs(posixpath.dirname(KEY_FILE))
    for path, text in ((KEY_FILE, roll_cloud.pem(0)), (CERTIFICATE_FILE, "certificate\n")):
        descriptor = calls.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        calls.write(descriptor, text.encode())
        calls.close(descriptor)
