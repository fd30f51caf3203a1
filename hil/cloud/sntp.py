"""An SNTP server that tells the time it is told to tell.

answer() is pure; the socket is asyncio's. Source: RFC 4330, RFC 5905 (packet layout, eras).
"""

import asyncio
import struct

from .clock import Clock
from .journal import Journal

SECONDS_1900_TO_1970 = 2_208_988_800
CLIENT, SERVER = 3, 4
LAYOUT = ">BBBb11I"  # leap/version/mode, stratum, poll, precision, 3 words, 4 timestamps


def timestamp(utc_ms: int) -> tuple[int, int]:
    """Seconds since 1900 in their era, and the fraction in units of 2**-32."""
    seconds, rest_ms = divmod(utc_ms, 1000)
    return (seconds + SECONDS_1900_TO_1970) % 2**32, (rest_ms << 32) // 1000


def answer(request: bytes, utc_ms: int) -> bytes | None:
    """The reply to a client's packet; None for what is no client's packet."""
    if len(request) < 48 or request[0] & 7 != CLIENT:
        return None
    version = request[0] >> 3 & 7
    transmitted = struct.unpack(">2I", request[40:48])
    now = timestamp(utc_ms)
    return struct.pack(
        LAYOUT, version << 3 | SERVER, 2, request[2], -20,
        0, 1 << 8, 0x7F7F0101, *timestamp(utc_ms - 16_000), *transmitted, *now, *now,
    )  # fmt: skip


class SntpServer(asyncio.DatagramProtocol):
    """Answers on one UDP port."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self._clock, self._journal = clock, journal
        self._transport: asyncio.DatagramTransport | None = None
        self.address: str | None = None
        self.port: int | None = None

    async def open(self, address: str, port: int) -> None:
        """Bind; port 0 takes a free one, which `port` then names."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(address, port)
        )
        self.address, self.port = self._transport.get_extra_info("sockname")[:2]

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, address: tuple) -> None:
        now_ms = self._clock.now_ms()
        reply = answer(data, self._clock.sntp_ms(now_ms))
        if reply is not None:
            self._journal.add(now_ms, "sntp", "sntp", None, address="%s:%d" % address[:2])
            self._transport.sendto(reply, address)
