"""The table by which devices find the cloud's names: resolve.json, what a hosts file is to others.

Written whole and atomically, since a device may read it at any moment.
"""

import json
import os
from pathlib import Path

from .refusal import BadRequest


class Names:
    """{"host:port": ["address:port", ...]} in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[str, list[str]] = {}

    def change(self, lines: dict) -> None:
        """Set these lines and keep the others; null takes a line away."""
        trial = dict(self.lines)
        for name, addresses in lines.items():
            _check(name, addresses)
            if addresses is None:
                trial.pop(name, None)
            else:
                trial[name] = addresses
        self._write(trial)
        self.lines = trial

    def _write(self, lines: dict) -> None:
        beside = self.file.with_suffix(".new")
        beside.write_text(json.dumps(lines, indent=1, sort_keys=True) + "\n")
        os.replace(beside, self.file)


def _check(name: object, addresses: object) -> None:
    if not _is_place(name):
        raise BadRequest("not a name to resolve", name, 'write "host:port"')
    if addresses is None:
        return
    if not isinstance(addresses, list) or not all(_is_place(a) for a in addresses):
        raise BadRequest(f"the addresses of {name}", addresses, 'write ["address:port", ...]')


def _is_place(text: object) -> bool:
    host, colon, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    return bool(host and colon) and port.isascii() and port.isdigit() and 0 < int(port) < 65_536
