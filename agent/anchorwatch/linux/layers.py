"""The trust layers as files of PEM: the roots of the package or the integrator's, and the system's.

Rule: in the factory layer a bad file stops the start, since the integrator's package is broken.

Source: design section 7; performers/layers.py.
"""

import os

from ..errors import ConfigError, TrustError, plain
from ..performers import layers
from ..performers.layers import once
from ..pki import pem
from ..pki.der import anchor_entry
from .folder import Folder

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_FACTORY = os.path.join(_PACKAGE, "data", "roots")
_SYSTEM = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
           "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem")


class Layers(layers.Layers):
    """What the files of the layers say.

    site  the site layer's folder, or None
    warn  called with (what, value, remedy) for a file that is left out
    """

    def __init__(self, config, site: Folder | None, warn) -> None:
        super().__init__(self._shipped, self._beside, site, (".pem",), pem.certificates,
                         pem.SIZE_AT_MOST, warn)
        self._config = config

    def read(self) -> dict:
        """{"factory": {"anchors": [entry], "distrust": [sha256]}, ...} for Start.

        Raises  ConfigError: the factory layer is missing or broken
        """
        found = super().read()
        if self._config.trust.system:
            found["system"] = {"anchors": self._system(), "distrust": []}
        return found

    def _beside(self, name: str, at_most: int) -> bytes | None:
        try:
            with open(os.path.join(self._folder(), name), "rb") as file:
                return file.read(at_most)
        except FileNotFoundError:
            return None

    def _folder(self) -> str:
        return self._config.trust.factory_dir or _FACTORY

    def _shipped(self) -> list[dict]:
        folder = self._folder()
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
        return once(anchors)

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
        return once(anchors)


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
