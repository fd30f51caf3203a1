"""What the modules of the agent are once they are imported, found out by running them here.

Rule: a top level computes from what is the same everywhere; whoever asks a module of the firmware
for anything there is refused by name, for the answer would be this computer's.
"""

import builtins
import types
from pathlib import Path

# Modules of any Python that compute and know nothing of where they run.
PURE = ("binascii", "collections", "struct")


class Refused(Exception):
    """What cannot lie in the flash: where, what, what to do."""


class Absent(ImportError):
    """A module that this firmware does not have."""


class Firmware:
    """Stands for a module of the firmware: it may be named, not asked."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str):
        if (self.__name__, name) == ("io", "IOBase"):
            return IOBase
        raise Refused(f"{self.__name__}.{name} is asked for at the top level of a module: "
                      "ask inside a function")  # fmt: skip


class Pure(Firmware):
    """The same of a module that computes the same everywhere."""

    def __getattr__(self, name: str):
        return getattr(__import__(self.__name__), name)


class IOBase:
    """Stands for io.IOBase, the one class of the firmware that ours derive from."""


class Snapshot:
    """Modules by their full names, run once, each in its own namespace.

    roots     {package: the folder that it lies in}
    firmware  names of the firmware's own modules
    """

    def __init__(self, roots: dict[str, Path], firmware: set[str]) -> None:
        self._roots, self._firmware = roots, firmware
        self._of_firmware: dict[str, Firmware] = {}
        self.modules: dict[str, types.ModuleType] = {}
        self.code: dict[str, types.CodeType] = {}

    def load(self, name: str) -> types.ModuleType:
        """A module, with those that it imports; its packages first."""
        if name in self.modules:
            return self.modules[name]
        parent, _, last = name.rpartition(".")
        outer = self.load(parent) if parent else None
        if name in self.modules:
            return self.modules[name]
        file = self._file(name)
        if file is None:
            raise ImportError(f"no module named '{name}'")
        module = self.modules[name] = types.ModuleType(name)
        is_package = file.name == "__init__.py"
        module.__package__ = name if is_package else parent
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        self.code[name] = compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
        try:
            exec(self.code[name], module.__dict__)  # noqa: S102  it is our own source
        except Absent:
            del self.modules[name]
            raise
        except Refused as refused:
            if name in str(refused):
                raise
            raise Refused(f"{name}: {refused}") from None
        if outer is not None:
            setattr(outer, last, module)
        return module

    def _file(self, name: str) -> Path | None:
        package, *rest = name.split(".")
        if package not in self._roots:
            return None
        path = self._roots[package].joinpath(package, *rest)
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                return file
        return None

    def _import(self, name, names=None, _locals=None, wanted=(), level=0):
        """As of builtins.__import__, by our own table."""
        if level:
            package = names["__package__"].split(".")
            base = ".".join(package[: len(package) - level + 1])
            name = f"{base}.{name}" if name else base
        if name.partition(".")[0] not in self._roots:
            return self._foreign(name)
        module = self.load(name)
        for word in wanted or ():
            if not hasattr(module, word) and self._file(f"{name}.{word}"):
                self.load(f"{name}.{word}")
        return module if wanted else self.modules[name.partition(".")[0]]

    def _foreign(self, name: str) -> Firmware:
        if name not in self._firmware:
            raise Absent(f"this firmware has no module '{name}'")
        kind = Pure if name in PURE else Firmware
        return self._of_firmware.setdefault(name, kind(name))
