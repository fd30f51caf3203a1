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
AGENT = "anchorwatch_board.agent"  # what a firmware must be able to import
_KNOWN_VERSION = 6  # of .mpy
_NEW_LOCALS = 0x2  # CO_NEWLOCALS of CPython: a function has them, the body of a class has not
# Both compilers have these, but not always as functions of their own.
_NOT_COUNTED = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
_HEAD = """
// The agent: modules, classes, functions and tables as constants, by micropython/resident.
#ifndef ANCHORWATCH_RESIDENT
#error "resident/manifest.py asks for the C modules of micropython/cmodule and ANCHORWATCH_RESIDENT=1"
#endif
#if MICROPY_PY_SYS_SETTRACE || MICROPY_OBJ_REPR != MICROPY_OBJ_REPR_A
#error "an agent in the flash needs objects of representation A, and no settrace"
#endif
#if !MICROPY_MODULE_BUILTIN_SUBPACKAGES
#error "an agent in the flash needs MICROPY_MODULE_BUILTIN_SUBPACKAGES"
#endif
#include "py/builtin.h"
#include "py/objfun.h"
#include "py/objmodule.h"
#include "py/objtuple.h"
#include "py/objtype.h"
#include "anchorwatch_resident.h"
// mpy-tool.py writes a raw code for each function; only those inside of others are asked for it.
#pragma GCC diagnostic ignored "-Wunused-const-variable"
"""  # noqa: E501  as C has it


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
    genhdr = Path(arguments[arguments.index("-q") + 1]).parent
    ordinary = tool.freeze_mpy

    def freeze(known: set[str], compiled: list) -> None:
        ours = {module_of(item): item for item in compiled if module_of(item, 1) in ROOTS}
        resident = Resident(tool, ours, symbols(genhdr / "moduledefs.h"))
        for name in resident.names:
            tool.global_qstrs.add(name)
        ordinary(known, [item for item in compiled if module_of(item, 1) not in ROOTS])
        print(resident.text())

    tool.freeze_mpy = freeze
    with contextlib.redirect_stdout(io.StringIO()) as said:
        tool.main(arguments)
    return said.getvalue()


def module_of(compiled, parts: int | None = None) -> str:
    """anchorwatch/core/device.py is anchorwatch.core.device; its first parts."""
    name = compiled.source_file.str.removesuffix(".py").removesuffix("/__init__")
    return ".".join(name.split("/")[:parts])


def symbols(header: Path) -> dict[str, str]:
    """{module of the firmware: its symbol}, from what MicroPython's build has collected."""
    if not header.is_file():
        raise Refused(f"{header} is not made yet: have it made before frozen_content.c")
    pairs = re.findall(r"MP_ROM_QSTR\(MP_QSTR_(\w+)\), MP_ROM_PTR\(&(\w+)\)", header.read_text())
    return dict(pairs)


class Resident:
    """The modules that are to lie in the flash: {full name: compiled module of mpy-tool.py}.

    names  qstrs beside those that the modules have: what an import looks for
    """

    def __init__(self, tool: types.ModuleType, compiled: dict, of_firmware: dict[str, str]) -> None:
        self._tool, self._compiled, self._of_firmware = tool, compiled, of_firmware
        self.names = sorted({part for name in compiled for part in name.split(".")} | set(compiled))

    def text(self) -> str:
        """Bytecode, what it stands on, and everything that an import would have made."""
        snapshot = Snapshot(ROOTS, set(self._of_firmware))
        left_out = self._load(snapshot)
        raw_of: dict = {}
        for name, item in self._compiled.items():
            self._pair(snapshot.code[name], item.raw_code, context(name), raw_of, name)
        emitter = emit.Emitter(self._tool, raw_of, self._of_firmware)
        self._modules(emitter, snapshot)
        raws = list({raw.escaped_name: raw for raw in emitter.used}.values())
        with contextlib.redirect_stdout(io.StringIO()) as said:
            for raw in raws:
                raw.freeze()
            self._spare(raws)
            for item in self._compiled.values():
                item.freeze_constants()
        return "\n".join([_HEAD, *left_out, said.getvalue(), *emitter.head, *emitter.body])

    def _load(self, snapshot: Snapshot) -> list[str]:
        """Leave out what asks for a module that this firmware has not."""
        left_out = []
        for name in list(self._compiled):
            try:
                snapshot.load(name)
            except Absent as absent:
                if name == AGENT:
                    raise Refused(f"{name} cannot run here: {absent}: build it in") from None
                left_out.append(f"// left out: {name}: {absent}")
                del self._compiled[name]
        return left_out

    def _modules(self, emitter: emit.Emitter, snapshot: Snapshot) -> None:
        for name in self._compiled:
            symbol = f"{name}_module" if name in ROOTS else context(name)
            emitter.head.append(f"extern const mp_module_context_t {context(name)};")
            emitter.known_as(snapshot.modules[name], symbol)
        for name, item in self._compiled.items():
            package = item.source_file.str.endswith("/__init__.py")
            module = snapshot.modules[name]
            names = emitter.module(module, context(name), self._constants(item), package)
            if name in ROOTS:
                emitter.body.append(
                    f"const mp_obj_module_t {name}_module = {{ {{ &mp_type_module }}, "
                    f"(mp_obj_dict_t *)&{names} }};"
                )

    def _constants(self, item) -> str:
        qstrs = f"const_qstr_table_data_{item.escaped_name}" if item.qstr_table else "NULL"
        objs = f"const_obj_table_data_{item.escaped_name}" if item.obj_table else "NULL"
        return f"{{ .qstr_table = (qstr_short_t *){qstrs}, .obj_table = (mp_obj_t *){objs} }}"

    def _spare(self, raws: list) -> None:
        """Forget what only the top levels have loaded: it is never run."""
        decode, load = self._tool.mp_opcode_decode, self._tool.Opcode.MP_BC_LOAD_CONST_OBJ
        loaded_by: dict[int, set[int]] = {}
        waiting = list(raws)
        while waiting:
            raw = waiting.pop()
            waiting += raw.children
            at = raw.offset_opcodes
            while at < len(raw.fun_data):
                _, size, argument, _ = decode(raw.fun_data, at)
                if raw.fun_data[at] == load:
                    loaded_by.setdefault(id(raw.obj_table), set()).add(argument)
                at += size
        for item in self._compiled.values():
            kept = loaded_by.get(id(item.obj_table), set())
            item.obj_table[:] = [
                value if at in kept else None for at, value in enumerate(item.obj_table)
            ]

    def _pair(self, code: types.CodeType, raw, symbol: str, found: dict, where: str) -> None:
        """Which bytecode belongs to which function: the same names in the same order, in classes
        too. Raises Refused."""
        inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
        inner = [part for part in inner if part.co_name not in _NOT_COUNTED]
        children = [part for part in raw.children if part.simple_name.str not in _NOT_COUNTED]
        if [part.co_name for part in inner] != [part.simple_name.str for part in children]:
            raise Refused(f"{where}: CPython and mpy-cross see other functions in it (is an old "
                          ".mpy in the build folder? then remove that)")  # fmt: skip
        for part, child in zip(inner, children, strict=True):
            found[part] = child, symbol
            if not part.co_flags & _NEW_LOCALS:
                self._pair(part, child, symbol, found, f"{where}.{part.co_name}")


def context(module: str) -> str:
    """The symbol of what the functions of a module stand in."""
    return "anchorwatch_in_flash_" + module.replace(".", "_")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
