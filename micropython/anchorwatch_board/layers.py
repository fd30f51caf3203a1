"""The trust layers of a board: the factory layer is the frozen module `anchorwatch_factory`, made
by `anchorwatch-bundle factory`, or the folder trust.factory_dir.

Rule: a bad root in it stops the start. Source: design section 7; performers/layers.py.
"""

from anchorwatch.errors import ConfigError, TrustError, reason_of
from anchorwatch.performers import layers
from anchorwatch.performers.layers import once
from anchorwatch.pki.der import anchor_entry

from .folder import Folder
from .keyfiles import certificates

_FILE_AT_MOST = 65_536
_ENDS = (".pem", ".der")


class Layers(layers.Layers):
    """What the layers say.

    site     the site layer's folder, or None
    warn     called with (what, value, remedy) for a file that is left out
    factory  the frozen module, None: look for it
    """

    def __init__(self, config, site, warn, factory=None) -> None:
        super().__init__(self._shipped, self._beside, site, _ENDS, certificates, _FILE_AT_MOST,
                         warn)
        self._config = config
        self._module = factory or _frozen()

    def _beside(self, name: str, at_most: int):
        folder = _folder(self._config.trust.factory_dir)
        if folder is None:
            return getattr(self._module, "VENDOR_ROOT", None)
        return folder.read(name, at_most)

    def _shipped(self) -> list:
        folder = _folder(self._config.trust.factory_dir)
        sovereign = self._config.device.cloud != "global"
        if folder is not None:
            return self._from_folder(folder, sovereign)
        if self._module is None:
            raise ConfigError("there are no roots", "anchorwatch_factory", "freeze the module that "
                              "`anchorwatch-bundle factory` makes, or set trust.factory_dir")
        found: list = []
        for der in self._module.ANCHORS + (self._module.SOVEREIGN if sovereign else ()):
            entry = anchor_entry(der)
            self._ders[entry["sha256"]] = der  # in flash, where it costs no heap
            found.append(entry)
        return once(found)

    def _from_folder(self, folder: Folder, sovereign: bool) -> list:
        anchors = self._certificates_of(folder)
        if not anchors:
            raise ConfigError("trust.factory_dir holds no .pem or .der file", folder.path,
                              "put roots there")
        further = folder.inside("sovereign") if sovereign else None
        return once(anchors + (self._certificates_of(further) if further else []))

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


def _frozen():
    try:
        import anchorwatch_factory

        return anchorwatch_factory
    except ImportError:
        return None


def _folder(path: str):
    return Folder(path) if path else None
