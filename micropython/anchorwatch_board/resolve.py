"""Names to addresses: the file that is read anew at every dial, the configured table, the system.

Rule: nothing is remembered between dials: a name that moved is followed by the next one. The
system's answer is waited for without the loop: no runtime of boards asks in any other way.
"""

import socket

from anchorwatch.errors import LinkError

_REMEDY = 'write it as {"host:port": ["address:port"]}'
_NO_SUCH_FILE = 2


class Resolver:
    """table  {"host:port": ["address:port"]}; file  the same as JSON, goes first, or None
    bring_up  called before anything is asked: the network may be down, or not up yet
    """

    def __init__(self, table, file, bring_up):
        self._table = {name.lower(): table[name] for name in table}
        self._file, self._bring_up = file, bring_up

    def addresses(self, host, port):
        """[(address, port)] of a name, in the order to try them.

        Raises  LinkError: network, name-unknown | table-malformed
        """
        self._bring_up()
        return self.listed(host, port) or _asked(host, port)

    def listed(self, host, port):
        """The same by the file and the table alone; [] where they say nothing."""
        name = "%s:%d" % (host.lower(), port)
        for table in (self._read(), self._table):
            if name in table:
                return [_split(text) for text in table[name]]
        return []

    def _read(self):
        if not self._file:
            return {}
        import json  # a rig's setting: no device in the field has it

        try:
            with open(self._file) as file:
                table = json.load(file)
        except OSError as error:
            if error.errno == _NO_SUCH_FILE:
                return {}
            raise _malformed("resolve_file cannot be read", self._file)
        except ValueError:
            raise _malformed("resolve_file is no JSON", self._file)
        if not isinstance(table, dict) or [n for n in table if not isinstance(table[n], list)]:
            raise _malformed("resolve_file is not a table of lists", self._file)
        return {name.lower(): table[name] for name in table}


def _split(text):
    """`127.0.0.2:8883` or `[::1]:8883`."""
    address, _, port = str(text).rpartition(":")
    if not address or not port.isdigit():
        raise _malformed("resolve: not an address with a port", text)
    return address.strip("[]"), int(port)


def _malformed(what, value):
    return LinkError("network", "table-malformed", value, _REMEDY, what)


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
