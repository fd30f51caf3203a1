"""Names to addresses on Linux.

Rule: the system is asked at every dial; see performers/resolve.py.
"""

import socket

from ..errors import LinkError
from ..performers import resolve


class Resolver(resolve.Resolver):
    """table  {"host:port": ["address:port"]}; file  the same as JSON, goes first, or None."""

    def __init__(self, table: dict, file: str | None) -> None:
        super().__init__(table, file, _text, _asked)


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _asked(host: str, port: int) -> list[tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise LinkError("network", "name-unknown", host,
                        "check the name and the name service") from error
    addresses = [(place[0], place[1]) for _, _, _, _, place in found]
    return list(dict.fromkeys(addresses))
