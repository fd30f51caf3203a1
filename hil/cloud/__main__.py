"""Run one emulated cloud as a process: `python -m hil.cloud --dir DIR`.

Prints one JSON line when it is ready and ends on SIGTERM or SIGINT, or with --until-eof when its
standard input is closed. Nothing is kept: each start makes new keys.
"""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from .certificates import CHAINS, ROOTS
from .cloud import Cloud
from .loopback import NetTaken
from .manage import ManagementPort
from .settings import AUTO, BESIDE, DELIVERED, FACTORY, FREE, REAL, Settings


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m hil.cloud", description=__doc__)
    add = parser.add_argument
    add("--dir", required=True, type=Path, help="folder for roots and ready devices")
    add("--net", help="loopback network 127.A.B; a free one if not given")
    add("--hub-name", default=Settings.hub_name)
    add("--hub2-name", default=Settings.hub2_name)
    add("--dps-name", default=Settings.dps_name)
    add("--id-scope", default=Settings.id_scope)
    add("--chain", default=Settings.chain, choices=list(CHAINS), help="presented at start")
    add("--factory", default=",".join(FACTORY), help="roots devices are delivered with")
    add("--ports", default=AUTO, choices=[AUTO, REAL, FREE])
    add("--mirror-name", default=Settings.mirror_name)
    add("--est-name", default=Settings.est_name)
    add(
        "--vendor-root", default=DELIVERED, choices=[DELIVERED, BESIDE],
        help="in the devices' factory folder, or only in DIR for `init`",
    )  # fmt: skip
    add("--until-eof", action="store_true", help="end when standard input is closed")
    options = parser.parse_args(arguments)
    for name in options.factory.split(","):
        if name not in ROOTS:
            parser.error(f"--factory: no root {name!r}; there are {', '.join(ROOTS)}")
    return options


def settings_of(options: argparse.Namespace) -> Settings:
    return Settings(
        options.dir.resolve(), options.net, options.hub_name, options.hub2_name, options.dps_name,
        options.id_scope, options.chain, tuple(options.factory.split(",")), options.ports,
        options.mirror_name, options.vendor_root, options.est_name,
    )  # fmt: skip


async def run(settings: Settings, until_eof: bool) -> None:
    """Start, say so, wait for the end, stop."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    if until_eof:
        loop.add_reader(sys.stdin.fileno(), lambda: sys.stdin.buffer.read1() or over.set())
    cloud = Cloud(settings)
    await cloud.start()
    port = ManagementPort(cloud)
    await port.open(cloud.net.address(1))
    print(json.dumps({**cloud.ready(), "manage": port.address}), flush=True)
    await over.wait()
    port.close()
    await cloud.stop()


def main() -> int:
    options = parsed()
    try:
        asyncio.run(run(settings_of(options), options.until_eof))
    except (NetTaken, OSError) as e:
        print(f"hil.cloud: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
