"""TLS to a mirror: exactly what [tls.mirror] allows, with whoever answers.

Rule: version, suites and record length are the owner's word and are kept, or the connection is
refused by name. Whose certificate it is decides nothing here: what is fetched is signed, and no
root, date or name of a mirror may stand between it and a stranded device. The daily probe judges
the chain and reports a gap.

Source: design sections 7 (R9) and 8.
"""

import socket

from . import tls
from .patience import Patience
from .shortrecords import ShortRecords


class Veil:
    """profile  the settings of [tls.mirror] by name; records  see shortrecords.py"""

    def __init__(self, profile: dict, records: ShortRecords) -> None:
        self._profile, self._records = profile, records

    def draw(self, sock: socket.socket, host: str, patience: Patience):
        """The TLS socket over a connected one, which is closed if this fails. Raises LinkError."""
        try:
            made = tls.veil(self._profile)
            wish = self._records.wish(self._profile, made, False)
            secured = tls.handshake(sock, made, host, lambda chain: None, patience, wish.answered)
        except BaseException:
            sock.close()
            raise
        try:
            wish.outcome(secured.sock.session if wish.asked else None)
        except BaseException:
            secured.sock.close()
            raise
        return secured.sock
