"""Bytes over a connection, plain or TLS, in an errand.

Rule: nothing waits longer than its patience; a connection that ends is LinkError(network, cut).
"""

from anchorwatch.errors import LinkError

from .selector import READ, WRITE

_PIECE = 1024


def send(stream, data, patience):
    """All of it."""
    left = memoryview(data)
    while len(left):
        count = _done(stream.write, left)
        if count:
            left = left[count:]
        else:
            yield from patience.wait(stream.sock, WRITE)


def receive(stream, patience):
    """What comes next; b"" when the peer has ended."""
    while True:
        data = _done(stream.read, _PIECE)
        if data is not None:
            return data
        yield from patience.wait(stream.sock, READ)


def converse(stream, asked, answer, patience):
    """Send a request, read its answer; LinkError or MalformedMessage."""
    yield from send(stream, asked, patience)
    while not answer.done:
        data = yield from receive(stream, patience)
        if not data:
            answer.finish()
        answer.feed(data)
    return answer


def _done(call, given):
    try:
        return call(given)
    except (OSError, ValueError):
        raise LinkError("network", "cut")
