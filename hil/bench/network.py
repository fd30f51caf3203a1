"""A network one can make slow or cut: a TCP forwarder in user space.

Bytes are kept whole and in order; each is forwarded `one_way_ms` after it came, in both directions.
A new connection waits a round trip before it is forwarded, as SYN and SYN-ACK would.
As a process: `python -m hil.bench.network --listen 127.0.0.1:0 --to 127.9.9.2:8883 --one-way-ms 50`
prints {"ready": true, "address": "127.0.0.1:4711"} and obeys one JSON order a line, such as
{"do": "delay", "one_way_ms": 100}, {"do": "cut"}, {"do": "down"}, {"do": "up"}, {"do": "freeze"},
{"do": "thaw"}; each is answered by one line.
"""

import argparse
import asyncio
import json
import sys
from collections import deque
from collections.abc import Callable

CHUNK = 65_536


class SlowLink:
    """Forwards connections from one address to another."""

    def __init__(self, host: str, port: int, one_way_ms: int = 0) -> None:
        self.host, self.port = host, port
        self.one_way_ms = one_way_ms
        self.address: str | None = None
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.forwarded_bytes = {"up": 0, "down": 0}
        self._server: asyncio.Server | None = None
        self._pairs: set[asyncio.Task] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; `address` then is "host:port"."""
        self._server = await asyncio.start_server(self._serve, host, port)
        self.address = "%s:%d" % self._server.sockets[0].getsockname()[:2]

    def close(self) -> None:
        """Take no more connections and cut those that are open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """Reset every connection; what was under way is lost."""
        for writer in list(self._writers):
            writer.transport.abort()
        for pair in list(self._pairs):
            pair.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = asyncio.current_task()
        self._pairs.add(pair)
        self._writers.add(writer)
        try:
            await self._forward(reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()  # the far side refused, broke, or the link was cut
        finally:
            self._pairs.discard(pair)
            self._writers.discard(writer)
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2 * self.one_way_ms / 1000)
        far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        self._writers.add(far_writer)
        try:
            await asyncio.gather(
                self._pump(reader, far_writer, "up"), self._pump(far_reader, writer, "down")
            )
        finally:
            self._writers.discard(far_writer)
            far_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str
    ) -> None:
        line = DelayLine(asyncio.get_running_loop().time)
        reading = asyncio.create_task(self._read(reader, line))
        try:
            while (data := await line.next()) is not None:
                await self.flowing.wait()
                self.forwarded_bytes[way] += len(data)
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        finally:
            reading.cancel()

    async def _read(self, reader: asyncio.StreamReader, line: "DelayLine") -> None:
        while data := await reader.read(CHUNK):
            line.put(data, self.one_way_ms / 1000)
        line.put(None, self.one_way_ms / 1000)


class DelayLine:
    """What is under way: each piece comes out when its time has come, None last."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._under_way: deque[tuple[float, bytes | None]] = deque()
        self._more = asyncio.Event()

    def put(self, data: bytes | None, delay_s: float) -> None:
        self._under_way.append((self._now_s() + delay_s, data))
        self._more.set()

    async def next(self) -> bytes | None:
        while not self._under_way:
            self._more.clear()
            await self._more.wait()
        due_s, data = self._under_way.popleft()
        await asyncio.sleep(max(0.0, due_s - self._now_s()))
        return data


def place(text: str) -> tuple[str, int]:
    """ "127.0.0.1:8883" as host and port."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


async def obey(link: SlowLink, order: dict) -> dict:
    """Carry out one order; {"ok": true} or what is wrong with it."""
    do = order.get("do")
    if do == "delay" and isinstance(order.get("one_way_ms"), int) and order["one_way_ms"] >= 0:
        link.one_way_ms = order["one_way_ms"]
    elif do in ("cut", "down"):
        link.close() if do == "down" else link.cut()
    elif do == "up":
        host, port = place(link.address)
        await link.open(host, port)
    elif do in ("freeze", "thaw"):
        link.flowing.clear() if do == "freeze" else link.flowing.set()
    else:
        return {"ok": False, "what": "no such order", "value": order}
    return {"ok": True, "forwarded_bytes": link.forwarded_bytes}


async def run(options: argparse.Namespace) -> None:
    """Forward until standard input ends."""
    link = SlowLink(*options.to, options.one_way_ms)
    await link.open(*options.listen)
    print(json.dumps({"ready": True, "address": link.address}), flush=True)
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        print(json.dumps(await obey(link, json.loads(line))), flush=True)
    link.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m hil.bench.network", description=__doc__)
    parser.add_argument("--listen", type=place, default=("127.0.0.1", 0))
    parser.add_argument("--to", type=place, required=True)
    parser.add_argument("--one-way-ms", type=int, default=0)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
