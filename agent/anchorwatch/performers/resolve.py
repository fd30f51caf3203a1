"""Names to addresses: the file that is read anew at every dial, the configured table, the system.

Rule: nothing is remembered between dials: a name that moved is followed by the next one.
"""

from ..core.shapes import Any_, Tree
from ..errors import LinkError

_REMEDY = 'write it as {"host:port": ["address:port"]}'


class Resolver:
    """table  {"host:port": ["address:port"]}; file  the same as JSON, goes first, or None
    read   path -> its text, None without a file; OSError
    asked  (host, port) -> [(address, port)] by the system; LinkError
    """

    def __init__(self, table: Tree, file: str | None, read: Any_, asked: Any_) -> None:
        self._table = table
        self._file, self._read, self._asked = file, read, asked

    def addresses(self, host: str, port: int) -> Any_:
        """All addresses of a name, [(address, port)] in the order to try them.

        Raises  LinkError: network, name-unknown | table-malformed
        """
        return self.listed(host, port) or self._asked(host, port)

    def listed(self, host: str, port: int) -> Any_:
        """The same by the file and the table alone; [] where they say nothing."""
        wanted = "%s:%d" % (host.lower(), port)
        for table in (self._of_file(), self._table):
            for name in table:
                if name.lower() == wanted:
                    return [_split(text) for text in table[name]]
        return []

    def _of_file(self) -> Tree:
        if not self._file:
            return {}
        import json  # a rig's setting: no device in the field has it

        try:
            text = self._read(self._file)
            table = {} if text is None else json.loads(text)
        except OSError:
            raise _malformed("resolve_file cannot be read", self._file)
        except ValueError:
            raise _malformed("resolve_file is no JSON", self._file)
        if not isinstance(table, dict) or [n for n in table if not isinstance(table[n], list)]:
            raise _malformed("resolve_file is not a table of lists", self._file)
        named: Tree = table
        return named


def _split(text: object) -> tuple[str, int]:
    """`127.0.0.2:8883` or `[::1]:8883`."""
    address, _, port = str(text).rpartition(":")
    if not address or not port.isdigit():
        raise _malformed("resolve: not an address with a port", text)
    return address.strip("[]"), int(port)


def _malformed(what: str, value: object) -> LinkError:
    return LinkError("network", "table-malformed", value, _REMEDY, what)
