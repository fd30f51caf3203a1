"""Addresses of files behind HTTP: taken apart, joined, followed to where a redirect may lead.

Rule: a name and a password in an address are refused, and so is a redirect to another host: what
was permitted by its address stays there.

Source: RFC 3986; RFC 9110 section 10.2.2.
"""

from ..errors import MalformedMessage
from ..values import address_problem

PORTS = {"http": 80, "https": 443}
LONGEST = 2048


class Url:
    """`scheme`, `host` (lower case, no brackets), `port`, and `path`, which may end in a query."""

    def __init__(self, scheme: str, host: str, port: int, path: str) -> None:
        self.scheme, self.host, self.port, self.path = scheme, host, port, path

    @property
    def authority(self) -> str:
        """Host, and port where it is not the usual one, as the Host header has them."""
        host = "[%s]" % self.host if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else "%s:%d" % (host, self.port)

    def file(self, name: str) -> "Url":
        """A file in the folder that this address is."""
        path = self.path if self.path[-1:] == "/" else self.path + "/"
        return Url(self.scheme, self.host, self.port, path + name)

    def text(self) -> str:
        """The address."""
        return "%s://%s%s" % (self.scheme, self.authority, self.path)

    def redirected(self, location: str) -> "Url | None":
        """Where a redirect leads; None if that is another host, port or scheme. From HTTP to HTTPS
        on their usual ports is no other place.

        Raises  MalformedMessage: no address
        """
        found = self._joined(location.partition("#")[0])
        if (found.scheme, found.host, found.port) == (self.scheme, self.host, self.port):
            return found
        upward = (self.scheme, self.port, found.scheme, found.port) == ("http", 80, "https", 443)
        return found if upward and found.host == self.host else None

    def _joined(self, location: str) -> "Url":
        if location[:2] == "//":
            return _read(self.scheme + ":" + location)
        if ":" in location.partition("/")[0]:
            return _read(location)
        if location[:1] != "/":
            location = self.path.partition("?")[0].rpartition("/")[0] + "/" + location
        return Url(self.scheme, self.host, self.port, _path(location, location))


def parse(text: str) -> Url:
    """`http://HOST[:PORT]/FOLDER`, also https; MalformedMessage for anything else."""
    found = _read(text)
    if "?" in text or "#" in text:
        raise _bad(text)
    return found


def _read(text: str) -> Url:
    scheme, _, rest = text.partition("://")
    authority, _, path = rest.partition("/")
    scheme = scheme.lower()
    if scheme not in PORTS or len(text) > LONGEST:
        raise _bad(text)
    bare = authority.rpartition("]")[2] if authority[:1] == "[" else authority
    if ":" not in bare:
        authority += ":%d" % PORTS[scheme]
    if address_problem(authority):
        raise _bad(text)
    host, _, port = authority.rpartition(":")
    return Url(scheme, host.strip("[]").lower(), int(port), _path("/" + path, text))


def _path(path: str, text: str) -> str:
    if len(path) > LONGEST or [c for c in path if not "!" <= c <= "~"] or "#" in path:
        raise _bad(text)
    return path


def _bad(text: str) -> MalformedMessage:
    return MalformedMessage(
        "not an address of a mirror", text, "give http://HOST[:PORT]/FOLDER, or https"
    )
