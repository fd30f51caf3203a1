"""Serve one wrong server: `python -m hil.cloud.badservers --serve NAME`, or list them.

Prints one JSON line when it is ready, one for each client that left, and ends on SIGINT, SIGTERM
or, with --until-eof, when its standard input is closed.
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from ..certificates import pem
from ..reception import LOCAL
from .engines import Unavailable
from .papers import Papers
from .relay import Visit
from .rows import BY_NAME, ROWS
from .server import BadServer

HOSTS = ("anchorwatch-hub.azure-devices.net", "anchorwatch-dps.azure-devices-provisioning.net")
_LOOK_S = 0.5


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m hil.cloud.badservers", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--list", action="store_true", help="the table; with --json as JSON")
    what.add_argument("--serve", metavar="NAME", choices=list(BY_NAME))
    add = parser.add_argument
    add("--json", action="store_true")
    add("--host", action="append", help="a name it shows; the emulated hub and DPS if not given")
    add("--listen", default=LOCAL + ":0", help="ADDRESS:PORT in 127/8; port 0 takes a free one")
    add("--root", type=Path, help="write the root that a device is to trust into this file")
    add("--until-eof", action="store_true", help="end when standard input is closed")
    options = parser.parse_args(arguments)
    if not options.listen.startswith("127.") or ":" not in options.listen:
        parser.error(f"--listen {options.listen}: write 127.A.B.C:PORT")
    return options


def show(as_json: bool) -> None:
    """The table."""
    for row in ROWS:
        about = {"name": row.name, "wrong": row.wrong, "by": row.by, "fault": row.fault,
                 "verdict": row.verdict, "max_fragment": row.fragment}  # fmt: skip
        columns = (row.name, row.by, f"{row.fault}: {row.verdict}", row.wrong)
        print(json.dumps(about) if as_json else "%-22s %-8s %-30s %s" % columns)


def serve(options: argparse.Namespace) -> None:
    """One server, until told to end."""
    papers = Papers(options.host or list(HOSTS))
    if options.root:
        options.root.write_bytes(pem(papers.root.certificate))
    address, _, port = options.listen.rpartition(":")
    with BadServer(options.serve, papers, address, int(port)) as server:
        row = server.row
        print(json.dumps({"ready": True, "address": server.place, "hosts": papers.hosts,
                          "fault": row.fault, "verdict": row.verdict}), flush=True)  # fmt: skip
        _until_told(options.until_eof)
    for visit in server.visits:
        _tell(visit)


def _until_told(until_eof: bool) -> None:
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    if until_eof:
        sys.stdin.buffer.read()
        return
    while not over.wait(_LOOK_S):
        pass


def _tell(visit: Visit) -> None:
    said = visit.client
    print(json.dumps({"client": True, "bytes": said.total, "credential": said.credential,
                      "application": said.application}), flush=True)  # fmt: skip


def main() -> int:
    options = parsed()
    try:
        show(options.json) if options.list else serve(options)
    except (Unavailable, OSError) as e:
        print(f"hil.cloud.badservers: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
