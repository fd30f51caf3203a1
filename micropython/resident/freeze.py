"""freeze.py MPY_TOOL -f -q HEADER [options] FILE.mpy ...: what mpy-tool.py prints, with the agent's
modules as constants: nothing of them is run or made when they are imported.

Rule: it knows MicroPython 1.25 and refuses what it does not know, so that a build ends here and not
a device in the field.
"""

import contextlib
import importlib.util
import io
import re
import sys
import types
from pathlib import Path

import emit
from snapshot import Absent, Refused, Snapshot

HERE = Path(__file__).resolve().parent
ROOTS = {"anchorwatch": HERE.parents[1] / "agent", "anchorwatch_board": HERE.parent}
_KNOWN_VERSION = 6
# Both compilers have these, but not always as functions of their own.
_NOT_COUNTED = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
_HEAD = """
// The agent: modules, classes, functions and tables as constants, by micropython/resident.
#ifndef ANCHORWATCH_RESIDENT
#error "the manifest is resident/manifest.py: build with micropython/cmodule and ANCHORWATCH_RESIDENT=1"
#endif
#if MICROPY_PY_SYS_SETTRACE || !MICROPY_MODULE_BUILTIN_SUBPACKAGES || MICROPY_OBJ_REPR != MICROPY_OBJ_REPR_A
#error "an agent in the flash needs builtin subpackages, objects of representation A, and no settrace"
#endif
#include "py/builtin.h"
#include "py/objfun.h"
#include "py/objmodule.h"
#include "py/objtuple.h"
#include "py/objtype.h"
#include "anchorwatch_resident.h"
// mpy-tool.py writes a raw code for each function; here only those inside of others are asked for it.
#pragma GCC diagnostic ignored "-Wunused-const-variable"
"""


def main(arguments: list[str]) -> int:
    """0, or 1 with the reason on the error output."""
    tool = loaded(arguments[0])
    try:
        sys.stdout.write(frozen(tool, arguments[1:]))
    except (Refused, tool.FreezeError, tool.MPYReadError) as refused:
        print(f"resident: {refused}", file=sys.stderr)
        return 1
    return 0


def loaded(file: str) -> types.ModuleType:
    """mpy-tool.py as a module."""
    sys.path.insert(0, str(Path(file).parent))
    spec = importlib.util.spec_from_file_location("mpy_tool", file)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    if tool.config.MPY_VERSION != _KNOWN_VERSION or not hasattr(tool.RawCode, "freeze_children"):
        raise SystemExit(f"resident: {file} is not that of MicroPython 1.25")
    return tool


def frozen(tool: types.ModuleType, arguments: list[str]) -> str:
    """All of frozen_content.c that mpy-tool.py is asked for."""
    read: list = []
    said = io.StringIO()
    genhdr = Path(arguments[arguments.index("-q") + 1]).parent

    def freeze(known: set[str], compiled: list) -> None:
        read.extend(compiled)
        resident = {module_of(item): item for item in compiled if module_of(item).split(".")[0] in ROOTS}
        made = Resident(tool, resident, symbols(genhdr / "moduledefs.h"))
        for name in made.names:
            tool.global_qstrs.add(name)
        ordinary(known, [item for item in compiled if item not in resident.values()])
        made.make()
        print(made.text)

    ordinary, tool.freeze_mpy = tool.freeze_mpy, freeze
    with contextlib.redirect_stdout(said):
        tool.main(arguments)
    return said.getvalue()


def module_of(compiled) -> str:
    """anchorwatch/core/device.py is anchorwatch.core.device."""
    return compiled.source_file.str.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def symbols(header: Path) -> dict[str, str]:
    """{module of the firmware: its symbol}, from what MicroPython's build has collected."""
    if not header.is_file():
        raise Refused(f"{header} is not made yet: have it made before frozen_content.c")
    found = re.findall(r"MP_ROM_QSTR\(MP_QSTR_(\w+)\), MP_ROM_PTR\(&(\w+)\)", header.read_text())
    return dict(found)


class Resident:
    """The modules that are to lie in the flash: {full name: compiled module of mpy-tool.py}."""

    def __init__(self, tool: types.ModuleType, compiled: dict, of_firmware: dict[str, str]) -> None:
        self._tool, self._compiled, self._of_firmware = tool, compiled, of_firmware
        self.text = ""
        parts = {part for name in compiled for part in name.split(".")}
        self.names = sorted(parts | set(compiled))

    def make(self) -> None:
        """The C text: bytecode, constants of it, then everything that is made by an import."""
        snapshot = Snapshot(ROOTS, set(self._of_firmware))
        raw_of: dict = {}
        left_out: list[str] = []
        for name, item in list(self._compiled.items()):
            try:
                snapshot.load(name)
            except Absent as absent:
                left_out.append(f"// left out: {name}: {absent}")
                del self._compiled[name]
                continue
            self._pair(snapshot.code[name], item.raw_code, self._context(name), raw_of, name)
        emitter = emit.Emitter(self._tool, raw_of, self._of_firmware)
        for name in self._compiled:
            emitter.head.append(f"extern const mp_module_context_t {self._context(name)};")
            symbol = registered(name) if name in ROOTS else self._context(name)
            emitter.known_as(snapshot.modules[name], symbol)
        tables = self._said(self._tables)
        for name, item in self._compiled.items():
            package = item.source_file.str.endswith("/__init__.py")
            names = emitter.module(snapshot.modules[name], self._context(name), self._constants(item), package)
            if name in ROOTS:
                emitter.body.append(f"const mp_obj_module_t {registered(name)} = {{ {{ &mp_type_module }}, "
                                    f"(mp_obj_dict_t *)&{names} }};")  # fmt: skip
        bytecode = self._said(lambda: [raw.freeze() for raw in unique(emitter.used)])
        self.text = "\n".join([_HEAD, *left_out, bytecode, tables, *emitter.head, *emitter.body])

    def _said(self, prints) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            prints()
        return said.getvalue()

    def _context(self, name: str) -> str:
        return "anchorwatch_in_flash_" + name.replace(".", "_")

    def _constants(self, item) -> str:
        tables = [(kind, f"const_{table}_table_data_{item.escaped_name}" if has else "NULL")
                  for kind, table, has in (("qstr_short_t *", "qstr", item.qstr_table),
                                           ("mp_obj_t *", "obj", item.obj_table))]  # fmt: skip
        (words, qstrs), (objects, objs) = tables
        return f"{{ .qstr_table = ({words}){qstrs}, .obj_table = ({objects}){objs} }}"

    def _tables(self) -> None:
        for item in self._compiled.values():
            item.freeze_constants()

    def _pair(self, code: types.CodeType, raw, context: str, found: dict, where: str) -> None:
        """Which bytecode belongs to which function: the same names in the same order, in classes too."""
        inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
        inner = [part for part in inner if part.co_name not in _NOT_COUNTED]
        children = [part for part in raw.children if part.simple_name.str not in _NOT_COUNTED]
        if [part.co_name for part in inner] != [part.simple_name.str for part in children]:
            raise Refused(f"{where}: the two compilers see other functions in it: {[p.co_name for p in inner]} {[p.simple_name.str for p in children]}")
        for part, child in zip(inner, children):
            found[part] = child, context
            if not part.co_flags & 0x2:  # CO_NEWLOCALS: the body of a class has none
                self._pair(part, child, context, found, f"{where}.{part.co_name}")


def registered(package: str) -> str:
    """The symbol of a package in anchorwatch_resident.c."""
    return package + "_module"


def unique(raws: list) -> list:
    """Each raw code once: two names may stand for one function."""
    return list({raw.escaped_name: raw for raw in raws}.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
