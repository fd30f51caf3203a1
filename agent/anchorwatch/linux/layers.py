"""The trust layers as files: PEMs into the entries that the core decides on, and DER back for TLS.

Rule: only a self-signed CA becomes an entry. In the factory layer a bad file stops the start, since
the integrator's package is broken; elsewhere it is reported and left out, and the rest stands.

Source: design section 7.
"""

import binascii
import os

from ..core.rules import row_of
from ..errors import ConfigError, TrustError, plain
from ..pki import pem
from ..pki.der import anchor_entry
from .folder import Folder

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_FACTORY = os.path.join(_PACKAGE, "data", "roots")
_SYSTEM = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
           "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem")
_HEX = "0123456789abcdef"
_ROOT_OF_TRUST = "%s.root.json"
_DISTRUST_AT_MOST = 262_144
_ROOT_AT_MOST = 65_536  # that of metadata.py, which a start does without
_NOW = "now"


class Layers:
    """What the files of the layers say; remembers the DER of every entry it has seen.

    site  the site layer's folder, or None
    warn  called with (what, value, remedy) for a file that is left out
    """

    def __init__(self, config, site: Folder | None, warn) -> None:
        self._config, self._site, self._warn = config, site, warn
        self._ders: dict[str, bytes] = {}
        self._site_stamp: tuple = ()
        self.site_signed = False  # the site layer is a signed bundle, wherever its root came from

    def read(self) -> dict:
        """{"factory": {"anchors": [entry], "distrust": [sha256]}, ...} for Start.

        Raises  ConfigError: the factory layer is missing or broken
        """
        layers = {"factory": {"anchors": self._factory(), "distrust": []}, "site": self.read_site()}
        if self._config.trust.system:
            layers["system"] = {"anchors": self._system(), "distrust": []}
        return layers

    def read_site(self) -> dict:
        """{"anchors": [entry], "distrust": [sha256 or row]} as the site folder says now."""
        self._site_stamp = self._stamp()
        if self._site is None or self.site_signed or self.root_of_trust("site") is not None:
            return {"anchors": [], "distrust": []}
        anchors: list[dict] = []
        for name in self._site_names():
            if name.endswith(".pem"):
                anchors += self._site_file(name)
        return {"anchors": _once(anchors), "distrust": self._distrust()}

    def site_changed(self) -> bool:
        """True when a file of the site layer is not the one that was read."""
        return self._stamp() != self._site_stamp

    def written(self) -> None:
        """The agent itself wrote into the site folder, and the core knows what."""
        self._site_stamp = self._stamp()

    def root_of_trust(self, layer: str) -> bytes | None:
        """The root of trust of signed bundles that came with the factory layer or with the site's
        folder; None without one."""
        name = _ROOT_OF_TRUST % layer
        try:
            if layer == "site":
                return None if self._site is None else self._site.own(name, _ROOT_AT_MOST + 1)
            path = os.path.join(self._config.trust.factory_dir or _FACTORY, name)
            with open(path, "rb") as file:
                return file.read(_ROOT_AT_MOST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn("root of trust cannot be read", "%s (%s)" % (name, plain(error.strerror)),
                       "correct its owner")
            return None

    def learn(self, tree: object) -> None:
        """Remember the DER of entries anywhere in a tree: of the state, or of a command."""
        if isinstance(tree, dict):
            if isinstance(tree.get("der"), str) and isinstance(tree.get("sha256"), str):
                self._ders[tree["sha256"]] = binascii.a2b_base64(tree["der"])
            tree = list(tree.values())
        for item in tree if isinstance(tree, list) else ():
            self.learn(item)

    def der_of(self, sha256: str) -> bytes | None:
        """The certificate of an entry seen before; None for any other."""
        return self._ders.get(sha256)

    def entries(self, data: bytes) -> list[dict]:
        """The entries of PEM text. TrustError for anything that is no root."""
        found = [anchor_entry(der) for der in pem.certificates(data)]
        self.learn(found)
        return found

    def _factory(self) -> list[dict]:
        folder = self._config.trust.factory_dir or _FACTORY
        paths = _pems(folder)
        sovereign = os.path.join(folder, "sovereign")
        if self._config.device.cloud != "global" and os.path.isdir(sovereign):
            paths += _pems(sovereign)
        anchors: list[dict] = []
        for path in paths:
            try:
                anchors += self.entries(_read(path))
            except TrustError as error:
                raise ConfigError(error.what, "%s (%s)" % (path, error.value),
                                  error.remedy) from error
        return _once(anchors)

    def _system(self) -> list[dict]:
        """The OS store, each entry limited to the configured endpoints and names."""
        trust = self._config.trust
        limits = {"scope": list(trust.system_scopes), "suffixes": list(trust.system_suffixes)}
        limits = {name: limits[name] for name in limits if limits[name]}
        path = next((path for path in _SYSTEM if os.path.exists(path)), "")
        if not path:
            self._warn("the system's store was not found", _SYSTEM[0], "install ca-certificates",
                       "config")
            return []
        anchors = []
        for der in pem.certificates(_read(path)):
            try:
                anchors.append(dict(anchor_entry(der), **limits))
            except TrustError:
                continue  # the system's list holds what we do not call a root; that is no fault
        self.learn(anchors)
        return _once(anchors)

    def _site_file(self, name: str) -> list[dict]:
        path = os.path.join(self._site.path, name)
        try:
            data = self._site.read(name, pem.SIZE_AT_MOST + 1)
            return [] if data is None else self.entries(data)
        except TrustError as error:
            self._warn(error.what, "%s (%s)" % (path, error.value), error.remedy)
        except OSError as error:
            self._warn("file of the site layer cannot be read", "%s (%s)" % (path, error.strerror),
                       "correct its owner, or put the file itself instead of a link")
        return []

    def _distrust(self) -> list:
        """SHA-256 of certificates or keys; one with the word `now` behind it is held for nobody."""
        try:
            data = self._site.read("distrust", _DISTRUST_AT_MOST) or b""
        except OSError as error:
            self._warn("list of distrusted roots cannot be read", plain(error.strerror),
                       "correct its owner")
            return []
        found: dict[str, object] = {}
        for number, line in enumerate(data.decode("ascii", "replace").splitlines(), 1):
            word, *more = line.partition("#")[0].lower().split() or [""]
            if is_sha256(word) and more in ([], [_NOW]):
                found[word] = dict(row_of(word), hold_s=0) if more else found.get(word, word)
            elif word:
                self._warn("not a SHA-256 fingerprint", "distrust, line %d: %s" % (
                    number, " ".join([word, *more])), "give 64 hexadecimal digits")
        return [found[word] for word in sorted(found)]

    def _site_names(self) -> list[str]:
        """Names in the site's folder; a disk that cannot tell them costs the site layer only."""
        try:
            return self._site.names()
        except OSError as error:
            self._warn("site layer cannot be read", "%s (%s)" % (
                self._site.path, plain(error.strerror)), "repair the disk")
            return []

    def _stamp(self) -> tuple:
        """Another value whenever a file of the site layer is another one, or cannot be asked."""
        if self._site is None:
            return ()
        others = ("distrust", _ROOT_OF_TRUST % "site")
        try:
            names = [n for n in self._site.names() if n.endswith(".pem") or n in others]
            return tuple((name, self._site.stamp(name)) for name in names)
        except OSError as error:
            return ("unreadable", error.errno)


def is_sha256(word: str) -> bool:
    """64 hexadecimal digits, lower case."""
    return len(word) == 64 and not [c for c in word if c not in _HEX]


def _once(anchors: list[dict]) -> list[dict]:
    return list({entry["sha256"]: entry for entry in anchors}.values())


def _pems(folder: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise ConfigError("trust.factory_dir cannot be read", "%s (%s)" % (folder, error.strerror),
                          "name a folder of PEM files") from error
    paths = [os.path.join(folder, name) for name in names if name.endswith(".pem")]
    if not paths:
        raise ConfigError("trust.factory_dir holds no .pem file", folder, "put roots there")
    return paths


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(pem.SIZE_AT_MOST + 1)
    except OSError as error:
        raise ConfigError("root cannot be read", "%s (%s)" % (path, plain(error.strerror)),
                          "correct its owner") from error
