"""The SNTP server's answers, byte by byte, and its lies."""

import asyncio
import struct

import pytest

from hil.cloud import sntp
from hil.cloud.clock import Clock
from hil.cloud.journal import Journal

UTC_MS = 1_763_776_800_500
REQUEST = b"\x23" + bytes(39) + b"\x01\x02\x03\x04\x05\x06\x07\x08"


def transmitted(reply: bytes) -> tuple[int, int]:
    return struct.unpack(">2I", reply[40:48])


def test_the_answer_is_a_servers_and_echoes_the_clients_time():
    reply = sntp.answer(REQUEST, UTC_MS)
    assert len(reply) == 48
    assert (reply[0] >> 6, reply[0] >> 3 & 7, reply[0] & 7) == (0, 4, 4)
    assert 1 <= reply[1] <= 15
    assert reply[24:32] == REQUEST[40:48]


def test_the_time_is_counted_from_1900_in_fractions_of_a_second():
    assert transmitted(sntp.answer(REQUEST, UTC_MS)) == (1_763_776_800 + 2_208_988_800, 2**31)


def test_the_second_era_starts_in_2036():
    assert transmitted(sntp.answer(REQUEST, 2_085_978_496_000)) == (0, 0)


@pytest.mark.parametrize(
    "packet", [b"", REQUEST[:47], b"\x24" + REQUEST[1:], b"\x26" + REQUEST[1:]]
)
def test_what_is_no_clients_packet_is_not_answered(packet):
    assert sntp.answer(packet, UTC_MS) is None


def test_the_server_tells_the_time_it_is_told_to_tell():
    async def scene() -> tuple[int, int]:
        clock, journal = Clock(), Journal()
        server = sntp.SntpServer(clock, journal)
        await server.open("127.0.0.1", 0)
        honest = await asked(server)
        clock.sntp_offset_s = 86_400
        lie = await asked(server)
        server.close()
        assert len(journal.of("sntp")) == 2
        return honest, lie

    honest, lie = asyncio.run(scene())
    assert 86_400 <= lie - honest <= 86_405


async def asked(server: sntp.SntpServer) -> int:
    """The seconds in one answer."""
    answer = asyncio.get_running_loop().create_future()

    class Asker(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, address: tuple) -> None:
            answer.set_result(transmitted(data)[0])

    loop = asyncio.get_running_loop()
    to = (server.address, server.port)
    transport, _ = await loop.create_datagram_endpoint(Asker, remote_addr=to)
    transport.sendto(REQUEST)
    seconds = await asyncio.wait_for(answer, 10)
    transport.close()
    return seconds
