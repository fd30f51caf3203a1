"""An own loopback network 127.A.B.0/24 for each cloud, so that several run at the same time.

A bound socket that never listens marks the network as taken; it is freed with the process.
"""

import ipaddress
import random
import socket

HUB, HUB2, DPS, EST, MIRROR, SNTP = 2, 3, 4, 5, 6, 7
RESERVED_PORT = 8883
TRIES = 200


class NetTaken(Exception):
    """No loopback network to be had; the text says which, and what to do."""


class LoopbackNet:
    """127.A.B.0/24, held until close()."""

    def __init__(self, prefix: str, held: socket.socket) -> None:
        self.prefix = prefix
        self._held = held

    def address(self, number: int) -> str:
        """127.A.B.number."""
        return f"{self.prefix}.{number}"

    def close(self) -> None:
        self._held.close()


def take(prefix: str) -> LoopbackNet:
    """Hold this network ("127.A.B"); raises NetTaken when another cloud has it."""
    try:
        inside = ipaddress.IPv4Address(prefix + ".1") in ipaddress.IPv4Network("127.0.0.0/8")
    except ValueError:
        inside = False
    if not inside:
        raise NetTaken(f"--net {prefix!r} is no loopback network: write 127.A.B")
    held = socket.socket()
    try:
        held.bind((prefix + ".1", RESERVED_PORT))
    except OSError:
        held.close()
        raise NetTaken(f"--net {prefix} is in use: take another 127.A.B, or none") from None
    return LoopbackNet(prefix, held)


def take_any() -> LoopbackNet:
    """Hold a network that nobody has."""
    chance = random.Random()
    for _ in range(TRIES):
        try:
            return take("127.%d.%d" % (chance.randrange(1, 255), chance.randrange(1, 255)))
        except NetTaken:
            pass
    raise NetTaken(f"no free network in {TRIES} tries: end some emulated clouds")
