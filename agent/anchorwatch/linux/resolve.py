"""Names to addresses: the file that is read anew at every dial, the configured table, the system.

Rule: nothing is remembered between dials: a name that moved is followed by the next one.
"""

import socket

from ..errors import LinkError

_REMEDY = 'write it as {"host:port": ["address:port"]}'


class Resolver:
    """table  {"host:port": ["address:port"]}; file  the same as JSON, goes first, or None."""

    def __init__(self, table: dict, file: str | None) -> None:
        self._table = {name.lower(): addresses for name, addresses in table.items()}
        self._file = file

    def addresses(self, host: str, port: int) -> list[tuple[str, int]]:
        """All addresses of a name, in the order to try them.

        Raises  LinkError: network, name-unknown | table-malformed
        """
        return self.listed(host, port) or _asked(host, port)

    def listed(self, host: str, port: int) -> list[tuple[str, int]]:
        """The same by the file and the table alone; [] where they say nothing."""
        name = "%s:%d" % (host.lower(), port)
        for table in (self._read(), self._table):
            if name in table:
                return [_split(text) for text in table[name]]
        return []

    def _read(self) -> dict:
        if not self._file:
            return {}
        import json  # a rig's setting: no device in the field has it

        try:
            with open(self._file, encoding="utf-8") as file:
                table = json.load(file)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise _malformed("resolve_file cannot be read", self._file) from error
        if not isinstance(table, dict) or not all(isinstance(v, list) for v in table.values()):
            raise _malformed("resolve_file is not a table of lists", self._file)
        return {name.lower(): addresses for name, addresses in table.items()}


def _split(text: object) -> tuple[str, int]:
    """`127.0.0.2:8883` or `[::1]:8883`."""
    address, _, port = str(text).rpartition(":")
    if not address or not port.isdigit():
        raise _malformed("resolve: not an address with a port", text)
    return address.strip("[]"), int(port)


def _malformed(what: str, value: object) -> LinkError:
    return LinkError("network", "table-malformed", value, _REMEDY, what)


def _asked(host: str, port: int) -> list[tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise LinkError("network", "name-unknown", host,
                        "check the name and the name service") from error
    addresses = [(place[0], place[1]) for _, _, _, _, place in found]
    return list(dict.fromkeys(addresses))
