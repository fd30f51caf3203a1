"""The slow link: what passes, how late, and what a cut does."""

import asyncio
import json
import subprocess
import sys

import pytest

from hil.bench.network import SlowLink, obey, place


async def echo(reader, writer) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except ConnectionError:
        pass
    finally:
        writer.close()


def play(scene, one_way_ms: int = 0):
    """Run one scene with a link to an echo."""

    async def played():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        link = SlowLink(*server.sockets[0].getsockname()[:2], one_way_ms)
        await link.open()
        try:
            return await asyncio.wait_for(scene(link), 30)
        finally:
            link.close()
            server.close()

    return asyncio.run(played())


async def timed(step) -> tuple[float, bytes]:
    """(milliseconds, what came back)."""
    now = asyncio.get_running_loop().time
    started = now()
    result = await step
    return 1000 * (now() - started), result


async def said(reader, writer, data: bytes) -> bytes:
    writer.write(data)
    return await reader.readexactly(len(data))


def test_bytes_pass_whole_and_in_order_both_ways():
    payload = bytes(range(256)) * 4000

    async def scene(link):
        reader, writer = await asyncio.open_connection(*place(link.address))
        assert await said(reader, writer, payload) == payload
        writer.write_eof()
        assert await reader.read() == b""
        assert link.forwarded_bytes == {"up": len(payload), "down": len(payload)}

    play(scene, one_way_ms=5)


def test_a_round_trip_takes_twice_the_one_way_delay():
    async def scene(link):
        reader, writer = await asyncio.open_connection(*place(link.address))
        await said(reader, writer, b"first")  # the connection's own round trip is over
        took_ms, _ = await timed(said(reader, writer, b"x"))
        assert took_ms >= 300
        link.one_way_ms = 0
        took_ms, _ = await timed(said(reader, writer, b"x"))
        assert took_ms < 300

    play(scene, one_way_ms=150)


def test_pieces_under_way_at_once_do_not_add_up_their_delays():
    async def scene(link):
        reader, writer = await asyncio.open_connection(*place(link.address))
        await said(reader, writer, b"first")

        async def ten() -> bytes:
            for _ in range(10):
                writer.write(b"x")
                await asyncio.sleep(0)
            return await reader.readexactly(10)

        took_ms, _ = await timed(ten())
        assert took_ms < 10 * 80

    play(scene, one_way_ms=40)


def test_a_cut_ends_every_connection_and_new_ones_may_come():
    async def scene(link):
        reader, writer = await asyncio.open_connection(*place(link.address))
        await said(reader, writer, b"x")
        link.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await said(reader, writer, b"y")
        assert await said(*await asyncio.open_connection(*place(link.address)), b"z") == b"z"

    play(scene)


def test_a_link_that_is_down_refuses_and_comes_up_at_the_same_address():
    async def scene(link):
        assert (await obey(link, {"do": "down"}))["ok"]
        with pytest.raises(OSError):
            await asyncio.open_connection(*place(link.address))
        assert (await obey(link, {"do": "up"}))["ok"]
        assert await said(*await asyncio.open_connection(*place(link.address)), b"z") == b"z"

    play(scene)


def test_a_frozen_link_keeps_what_comes_and_gives_it_when_thawed():
    async def scene(link):
        reader, writer = await asyncio.open_connection(*place(link.address))
        await said(reader, writer, b"x")
        await obey(link, {"do": "freeze"})
        waiting = asyncio.create_task(said(reader, writer, b"late"))
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done
        await obey(link, {"do": "thaw"})
        assert await waiting == b"late"

    play(scene)


def test_an_unknown_order_is_told_so():
    async def scene(link):
        assert (await obey(link, {"do": "fly"}))["ok"] is False
        assert (await obey(link, {"do": "delay", "one_way_ms": -1}))["ok"] is False

    play(scene)


def test_as_a_process_it_says_where_it_is_and_obeys():
    command = [sys.executable, "-m", "hil.bench.network", "--to", "127.0.0.1:1"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert json.loads(process.stdout.readline())["ready"] is True
    process.stdin.write('{"do": "delay", "one_way_ms": 50}\n')
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["ok"] is True
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()
