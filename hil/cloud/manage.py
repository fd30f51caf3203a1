"""The management port: HTTP with JSON on loopback, for the demo, the scenarios and the tests.

Finds the operation of a request and writes its answer; what operations do is operations.py.
"""

import asyncio
import json
import traceback

from . import http1, operations
from .cloud import Cloud
from .refusal import BadRequest


class ManagementPort:
    """One HTTP server for one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task] = set()
        self.address: str | None = None

    async def open(self, address: str) -> None:
        """Listen on a free port; `address` then is "127.A.B.1:PORT"."""
        self._server = await asyncio.start_server(self._serve, address, 0)
        self.address = "%s:%d" % self._server.sockets[0].getsockname()[:2]

    def close(self) -> None:
        """Take no more requests and leave those under way."""
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._serving.add(task)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client has left, or the cloud stops
        finally:
            self._serving.discard(task)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = http1.Reader()
        while data := await reader.read(65_536):
            requests.feed(data)
            try:
                while (request := requests.next()) is not None:
                    writer.write(await self._answer(request))
                    await writer.drain()
                    if request.is_last():
                        return
            except http1.MalformedRequest as e:
                writer.write(written(400, shown_error("not HTTP/1.1", e.reason, "see RFC 9112")))
                return

    async def _answer(self, request: http1.Request) -> bytes:
        status, answer = await answered(self._cloud, request)
        return written(status, answer, request.method)


async def answered(cloud: Cloud, request: http1.Request) -> tuple[int, dict]:
    """Status and JSON for one request."""
    operation, names = found(request, tuple(cloud.endpoints))
    if operation is None:
        remedy = "paths: " + ", ".join(sorted({path for _, path, _ in operations.TABLE}))
        what = f"no such operation: {request.method}"
        return 404, shown_error(what, request.path, remedy)
    try:
        return 200, await operation(cloud, request, *names)
    except BadRequest as e:
        return 400, shown_error(e.what, e.value, e.remedy)
    except Exception as e:  # a scenario must not hang on a fault of the cloud itself
        traceback.print_exc()
        return 500, shown_error("the cloud failed", repr(e), "see its standard error")


def found(request: http1.Request, services: tuple[str, ...]) -> tuple:
    """(operation, what stands for the capitals); (None, []) when there is none."""
    parts = request.parts()
    for method, path, operation in operations.TABLE:
        wanted = path.strip("/").split("/")
        if method != request.method or len(wanted) != len(parts):
            continue
        names = [part for part, want in zip(parts, wanted, strict=True) if want.isupper()]
        fixed = all(want in (part, want.upper()) for part, want in zip(parts, wanted, strict=True))
        if fixed and ("SERVICE" not in wanted or names[0] in services):
            return operation, names
    return None, []


def shown_error(what: str, value: object, remedy: str) -> dict:
    return {"error": {"what": what, "value": str(value), "remedy": remedy}}


def written(status: int, answer: dict, to: str = "GET") -> bytes:
    body = json.dumps(answer).encode() + b"\n"
    return http1.response(status, {"Content-Type": "application/json"}, body, to)
