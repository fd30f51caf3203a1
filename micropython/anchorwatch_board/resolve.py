"""Names to addresses on a board, whose network is brought up before.

Rule: the system's answer is waited for without the loop: no runtime of boards asks in any other
way. See performers/resolve.py.
"""

import socket

from anchorwatch.errors import LinkError
from anchorwatch.performers import resolve

_NO_SUCH_FILE = 2


class Resolver(resolve.Resolver):
    """table  {"host:port": ["address:port"]}; file  the same as JSON, goes first, or None
    bring_up  called before anything is asked: the network may be down, or not up yet
    """

    def __init__(self, table, file, bring_up):
        super().__init__(table, file, _text, _asked)
        self._bring_up = bring_up

    def addresses(self, host, port):
        """See performers/resolve.py."""
        self._bring_up()
        return super().addresses(host, port)


def _text(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError as error:
        if error.errno == _NO_SUCH_FILE:
            return None
        raise


def _asked(host, port):
    try:
        rows = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except OSError:
        raise LinkError("network", "name-unknown", host,
                        "check the name and the name service")
    places = []
    for row in rows:
        place = _place(row[-1])
        if place not in places:
            places.append(place)
    return places


def _place(given):
    """(address, port) of what the runtime has for one: a tuple on boards, bytes on unix."""
    if isinstance(given, tuple):
        return given[0], given[1]
    family, address, port = socket.sockaddr(given)[:3]
    return socket.inet_ntop(family, address), port
