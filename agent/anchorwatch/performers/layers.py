"""The trust layers: certificates into the entries that the core decides on, and DER back for TLS.

Rule: only a self-signed CA becomes an entry. A bad root in the factory layer stops the start;
elsewhere it is reported and left out, and the rest stands.

Source: design section 7.
"""

import binascii

from ..core.rules import row_of
from ..core.shapes import Any_, Tree
from ..errors import TrustError, plain, why
from ..pki.der import anchor_entry

_ROOT_OF_TRUST = "%s.root.json"
_ROOT_AT_MOST = 65_536  # that of metadata.py, which a start does without
_DISTRUST = "distrust"
_NOW = "now"
_HEX = "0123456789abcdef"
_AGAIN = "put the file itself there, readable"


class Layers:
    """What the layers say; remembers where the DER of every entry is, in `_ders`.

    factory  () -> entries of the factory layer, or ConfigError; root  (name, at_most) -> the bytes
             of a file beside them, None without one
    site     the site layer's folder, or None
    ends     of the names of certificates; certificates  bytes of such a file -> [DER], TrustError
    at_most  bytes of a file
    warn     called with (what, value, remedy) for a file that is left out
    """

    def __init__(self, factory: Any_, root: Any_, site: Any_, ends: tuple[str, ...],
                 certificates: Any_, at_most: int, warn: Any_) -> None:
        self._factory, self._root, self._site = factory, root, site
        self._ends, self._certificates, self._at_most = ends, certificates, at_most
        self._warn = warn
        self._ders: Tree = {}  # bytes, or the base64 of an entry that is there anyway
        self._site_stamp: Any_ = ()
        self.site_signed = False  # the site layer is a signed bundle, wherever its root came from

    def read(self) -> Tree:
        """{"factory": {"anchors": [entry], "distrust": [sha256]}, ...} for Start.

        Raises  ConfigError: the factory layer is missing or broken
        """
        return {"factory": {"anchors": self._factory(), "distrust": []}, "site": self.read_site()}

    def read_site(self) -> Tree:
        """{"anchors": [entry], "distrust": [sha256 or row]} as the site folder says now."""
        self._site_stamp = self._stamp()
        if self._site is None or self.site_signed or self.root_of_trust("site") is not None:
            return {"anchors": [], "distrust": []}
        anchors: list[Tree] = []
        for name in self._site_names():
            if name[-4:] in self._ends:
                anchors.extend(self._site_file(name))
        return {"anchors": once(anchors), "distrust": self._distrust()}

    def site_changed(self) -> bool:
        """True when a file of the site layer is not the one that was read."""
        return bool(self._stamp() != self._site_stamp)

    def written(self) -> None:
        """The agent itself wrote into the site folder, and the core knows what."""
        self._site_stamp = self._stamp()

    def root_of_trust(self, layer: str) -> bytes | None:
        """The root of trust of signed bundles that came with the factory layer or with the site's
        folder; None without one."""
        name = _ROOT_OF_TRUST % layer
        found: bytes | None = None
        try:
            if layer != "site":
                found = self._root(name, _ROOT_AT_MOST + 1)
            elif self._site is not None:
                found = self._site.own(name, _ROOT_AT_MOST + 1)
        except OSError as error:
            self._warn("root of trust cannot be read", "%s (%s)" % (name, why(error)), _AGAIN)
        return found

    def learn(self, tree: object) -> None:
        """Remember the DER of entries anywhere in a tree: of the state, or of a command."""
        if isinstance(tree, dict):
            if isinstance(tree.get("der"), str) and isinstance(tree.get("sha256"), str):
                self._ders.setdefault(tree["sha256"], tree["der"])
            tree = list(tree.values())
        for item in tree if isinstance(tree, list) else ():
            self.learn(item)

    def der_of(self, sha256: str) -> bytes | None:
        """The certificate of an entry seen before; None for any other."""
        found = self._ders.get(sha256)
        return binascii.a2b_base64(found) if isinstance(found, str) else found

    def entries(self, data: bytes) -> list[Tree]:
        """The entries of a file of certificates. TrustError for anything that is no root."""
        found = [anchor_entry(der) for der in self._certificates(data)]
        self.learn(found)
        return found

    def _site_names(self) -> list[str]:
        """Names in the site's folder; a disk that cannot tell them costs the site layer only."""
        try:
            return list(self._site.names())
        except OSError as error:
            self._warn("site layer cannot be read", self._shown("", error), "repair the disk")
            return []

    def _site_file(self, name: str) -> list[Tree]:
        try:
            data = self._site.read(name, self._at_most + 1)
            return [] if data is None else self.entries(data)
        except TrustError as error:
            self._warn(error.what, "%s/%s (%s)" % (self._site.path, name, error.value),
                       error.remedy)
        except OSError as error:
            self._warn("file of the site layer cannot be read", self._shown("/" + name, error),
                       _AGAIN)
        return []

    def _distrust(self) -> list[Any_]:
        """SHA-256 of certificates or keys; one with the word `now` behind it is held for nobody."""
        try:
            data = self._site.read(_DISTRUST, self._at_most) or b""
        except OSError as error:
            self._warn("list of distrusted roots cannot be read", why(error), _AGAIN)
            return []
        found: Tree = {}
        for number, line in enumerate(data.split(b"\n")):
            words = _text(line.partition(b"#")[0]).lower().split()
            if words and is_sha256(words[0]) and words[1:] in ([], [_NOW]):
                row = dict(row_of(words[0]), hold_s=0)
                found[words[0]] = row if words[1:] else found.get(words[0], words[0])
            elif words:
                self._warn("not a SHA-256 fingerprint", "distrust, line %d: %s" % (
                    number + 1, plain(" ".join(words))), "give 64 hexadecimal digits")
        return [found[word] for word in sorted(found)]

    def _stamp(self) -> Any_:
        """Another value whenever a file of the site layer is another one, or cannot be asked."""
        if self._site is None:
            return ()
        others = (_DISTRUST, _ROOT_OF_TRUST % "site")
        try:
            names = [n for n in self._site.names() if n[-4:] in self._ends or n in others]
            return [(name, self._site.stamp(name)) for name in names]
        except OSError as error:
            return ("unreadable", error.errno)

    def _shown(self, name: str, error: OSError) -> str:
        return "%s%s (%s)" % (self._site.path, name, why(error))


def is_sha256(word: str) -> bool:
    """64 hexadecimal digits, lower case."""
    return len(word) == 64 and not [c for c in word if c not in _HEX]


def once(anchors: list[Tree]) -> list[Tree]:
    """Each entry the first time that it is there."""
    seen, found = set(), []
    for entry in anchors:
        if entry["sha256"] not in seen:
            seen.add(entry["sha256"])
            found.append(entry)
    return found


def _text(data: bytes) -> str:
    """A comment in whatever coding must not cost the list."""
    try:
        return data.decode()
    except UnicodeError:
        return "".join([chr(byte) if byte < 0x80 else "?" for byte in data])
