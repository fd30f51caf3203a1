"""The trust layers of a board: certificates into entries for the core, and DER back for TLS.

Rule: only a self-signed CA becomes an entry. The factory layer is the frozen module
`anchorwatch_factory`, made by `anchorwatch-bundle factory`, or the folder trust.factory_dir; a bad
root in it stops the start, elsewhere it is reported and left out.

Source: design section 7.
"""

import binascii

from anchorwatch.core.rules import row_of
from anchorwatch.errors import ConfigError, TrustError, plain, reason_of
from anchorwatch.pki.der import anchor_entry

from .folder import Folder
from .keyfiles import certificates

_HEX = "0123456789abcdef"
_ROOT_OF_TRUST = "%s.root.json"
_FILE_AT_MOST = 65_536
_ENDS = (".pem", ".der")
_NOW = "now"


class Layers:
    """What the layers say; remembers where the DER of every entry is.

    site     the site layer's folder, or None
    warn     called with (what, value, remedy) for a file that is left out
    factory  the frozen module, None: look for it
    """

    def __init__(self, config, site, warn, factory=None) -> None:
        self._config, self._site, self._warn = config, site, warn
        self._module = factory or _frozen()
        self._ders: dict = {}  # bytes, or the base64 of an entry that is there anyway
        self._site_stamp: tuple = ()
        self.site_signed = False  # the site layer is a signed bundle, wherever its root came from

    def read(self) -> dict:
        """{"factory": {"anchors": [entry], "distrust": [sha256]}, ...} for Start.

        Raises  ConfigError: the factory layer is missing or broken
        """
        return {"factory": {"anchors": self._factory(), "distrust": []}, "site": self.read_site()}

    def read_site(self) -> dict:
        """{"anchors": [entry], "distrust": [sha256 or row]} as the site folder says now."""
        self._site_stamp = self._stamp()
        if self._site is None or self.site_signed or self.root_of_trust("site") is not None:
            return {"anchors": [], "distrust": []}
        anchors: list = []
        for name, _ in self._site_stamp:
            if name[-4:] in _ENDS:
                anchors.extend(self._site_file(name))
        return {"anchors": _once(anchors), "distrust": self._distrust()}

    def site_changed(self) -> bool:
        """True when a file of the site layer is not the one that was read."""
        return self._stamp() != self._site_stamp

    def written(self) -> None:
        """The agent itself wrote into the site folder, and the core knows what."""
        self._site_stamp = self._stamp()

    def root_of_trust(self, layer: str):
        """The root of trust of signed bundles that came with the factory layer or with the site's
        folder; None without one."""
        folder = self._site if layer == "site" else _folder(self._config.trust.factory_dir)
        if layer != "site" and folder is None:
            return getattr(self._module, "VENDOR_ROOT", None)
        name = _ROOT_OF_TRUST % layer
        try:
            return None if folder is None else folder.read(name, _FILE_AT_MOST + 1)
        except OSError as error:
            self._warn("root of trust cannot be read", "%s (%s)" % (name, reason_of(error)),
                       "repair its file system")
            return None

    def learn(self, tree) -> None:
        """Remember the DER of entries anywhere in a tree: of the state, or of a command."""
        if isinstance(tree, dict):
            if isinstance(tree.get("der"), str) and isinstance(tree.get("sha256"), str):
                self._ders.setdefault(tree["sha256"], tree["der"])
            tree = list(tree.values())
        for item in tree if isinstance(tree, list) else ():
            self.learn(item)

    def der_of(self, sha256: str):
        """The certificate of an entry seen before; None for any other."""
        found = self._ders.get(sha256)
        return binascii.a2b_base64(found) if isinstance(found, str) else found

    def entries(self, data: bytes) -> list:
        """The entries of PEM text or of DER. TrustError for anything that is no root."""
        found = [anchor_entry(der) for der in certificates(data)]
        self.learn(found)
        return found

    def _factory(self) -> list:
        folder = _folder(self._config.trust.factory_dir)
        sovereign = self._config.device.cloud != "global"
        if folder is not None:
            return self._from_folder(folder, sovereign)
        if self._module is None:
            raise ConfigError("there are no roots", "anchorwatch_factory", "freeze the module that "
                              "`anchorwatch-bundle factory` makes, or set trust.factory_dir")
        found = []
        for der in self._module.ANCHORS + (self._module.SOVEREIGN if sovereign else ()):
            entry = anchor_entry(der)
            self._ders[entry["sha256"]] = der  # in flash, where it costs no heap
            found.append(entry)
        return _once(found)

    def _from_folder(self, folder: Folder, sovereign: bool) -> list:
        anchors = self._certificates_of(folder)
        if not anchors:
            raise ConfigError("trust.factory_dir holds no .pem or .der file", folder.path,
                              "put roots there")
        further = folder.inside("sovereign") if sovereign else None
        return _once(anchors + (self._certificates_of(further) if further else []))

    def _certificates_of(self, folder: Folder) -> list:
        found: list = []
        path = folder.path
        try:
            for name in folder.names():
                if name[-4:] in _ENDS:
                    path = folder.path + "/" + name
                    found.extend(self.entries(folder.read(name, _FILE_AT_MOST) or b""))
        except TrustError as error:
            raise ConfigError(error.what, "%s (%s)" % (path, error.value), error.remedy)
        except OSError as error:
            raise ConfigError("trust.factory_dir cannot be read", "%s (%s)" % (
                path, reason_of(error)), "name a folder of roots")
        return found

    def _site_file(self, name: str) -> list:
        path = self._site.path + "/" + name
        try:
            data = self._site.read(name, _FILE_AT_MOST)
            return [] if data is None else self.entries(data)
        except TrustError as error:
            self._warn(error.what, "%s (%s)" % (path, error.value), error.remedy)
        except OSError as error:
            self._warn("file of the site layer cannot be read", "%s (%s)" % (
                path, reason_of(error)), "put it there again")
        return []

    def _distrust(self) -> list:
        """SHA-256 of certificates or keys; one with the word `now` behind it is held for nobody."""
        try:
            text = (self._site.read("distrust", _FILE_AT_MOST) or b"").decode()
        except (OSError, UnicodeError):
            self._warn("list of distrusted roots cannot be read", "distrust", "put it there again")
            return []
        found: dict = {}
        for number, line in enumerate(text.split("\n")):
            word, *more = line.partition("#")[0].lower().split() or [""]
            if is_sha256(word) and more in ([], [_NOW]):
                found[word] = dict(row_of(word), hold_s=0) if more else found.get(word, word)
            elif word:
                self._warn("not a SHA-256 fingerprint", "distrust, line %d: %s" % (
                    number + 1, plain(line)), "give 64 hexadecimal digits")
        return [found[word] for word in sorted(found)]

    def _stamp(self) -> tuple:
        """Another value whenever a file of the site layer is another one, or cannot be asked."""
        if self._site is None:
            return ()
        others = ("distrust", _ROOT_OF_TRUST % "site")
        try:
            names = [n for n in self._site.names() if n[-4:] in _ENDS or n in others]
            return tuple([(name, self._site.stamp(name)) for name in names])
        except OSError:
            return (("unreadable", None),)


def is_sha256(word: str) -> bool:
    """64 hexadecimal digits, lower case."""
    return len(word) == 64 and not [c for c in word if c not in _HEX]


def _frozen():
    try:
        import anchorwatch_factory

        return anchorwatch_factory
    except ImportError:
        return None


def _folder(path: str):
    return Folder(path) if path else None


def _once(anchors: list) -> list:
    seen = {entry["sha256"]: entry for entry in anchors}
    return [seen[name] for name in sorted(seen)]
