"""Addresses of mirrors, and where a redirect may lead."""

from anchorwatch.wire import url


def parts(text):
    """(scheme, host, port, path, Host header) of an address."""
    found = url.parse(text)
    return (found.scheme, found.host, found.port, found.path, found.authority)


def of_file(text, name):
    return url.parse(text).file(name).text()


def followed(location, start="http://mirror.example/a/b.json"):
    """The address that a redirect leads to, None for another place."""
    found = url.parse(start).redirected(location)
    return found and found.text()


_BAD = ("raises", "MalformedMessage", "not an address of a mirror")

CASES = (
    ("a name", parts, ("http://mirror.example/roots",),
     ("http", "mirror.example", 80, "/roots", "mirror.example")),
    ("a port and capitals", parts, ("HTTPS://Mirror.Example:8443/Roots/",),
     ("https", "mirror.example", 8443, "/Roots/", "mirror.example:8443")),
    ("the usual port, written out", parts, ("https://mirror.example:443",),
     ("https", "mirror.example", 443, "/", "mirror.example")),
    ("an address", parts, ("http://127.0.0.1:8080/x",),
     ("http", "127.0.0.1", 8080, "/x", "127.0.0.1:8080")),
    ("an address of version 6", parts, ("http://[::1]/x",), ("http", "::1", 80, "/x", "[::1]")),
    ("a file of a folder", of_file, ("http://mirror.example/a", "t.json"),
     "http://mirror.example/a/t.json"),
    ("a file of a folder with a slash", of_file, ("http://mirror.example/a/", "t.json"),
     "http://mirror.example/a/t.json"),
    ("a file of the whole host", of_file, ("http://mirror.example", "t.json"),
     "http://mirror.example/t.json"),
    ("another scheme", parts, ("ftp://mirror.example/",), _BAD),
    ("no scheme", parts, ("mirror.example/",), _BAD),
    ("no host", parts, ("http:///x",), _BAD),
    ("a name and a password", parts, ("http://me:secret@mirror.example/",), _BAD),
    ("a query", parts, ("http://mirror.example/x?y",), _BAD),
    ("a fragment", parts, ("http://mirror.example/x#y",), _BAD),
    ("a space", parts, ("http://mirror.example/a b",), _BAD),
    ("a line break", parts, ("http://mirror.example/a\r\nb",), _BAD),
    ("a letter beyond ASCII", parts, ("http://mirr\xf6r.example/",), _BAD),
    ("port 0", parts, ("http://mirror.example:0/",), _BAD),
    ("a port that is none", parts, ("http://mirror.example:x/",), _BAD),
    ("an empty port", parts, ("http://mirror.example:/",), _BAD),
    ("too long", parts, ("http://mirror.example/" + "a" * 2048,), _BAD),
    ("nothing", parts, ("",), _BAD),
    ("to a path", followed, ("/c?d=e",), "http://mirror.example/c?d=e"),
    ("to a neighbour", followed, ("c.json",), "http://mirror.example/a/c.json"),
    ("to itself in full", followed, ("http://MIRROR.example:80/c#part",),
     "http://mirror.example/c"),
    ("without the scheme", followed, ("//mirror.example/c",), "http://mirror.example/c"),
    ("to HTTPS", followed, ("https://mirror.example/c",), "https://mirror.example/c"),
    ("to HTTP again", followed, ("http://mirror.example/c", "https://mirror.example/"), None),
    ("to HTTPS on a strange port", followed, ("https://mirror.example:8443/c",), None),
    ("to another port", followed, ("http://mirror.example:8080/c",), None),
    ("to another host", followed, ("http://evil.example/c",), None),
    ("to another host without the scheme", followed, ("//evil.example/c",), None),
    ("to a host that only begins alike", followed, ("http://mirror.example.evil.example/",), None),
    ("to a password", followed, ("http://mirror.example@evil.example/",), _BAD),
    ("to a file of this device", followed, ("file:/etc/shadow",), _BAD),
    ("to words", followed, ("go away",), _BAD),
)  # fmt: skip
