"""Values of Python as constants in C, in the shapes that MicroPython's runtime reads.

Rule: what the program could change is refused by its name: in the flash it cannot.

Source: MicroPython 1.25, py/obj.h, py/objfun.h, py/bc.h.
"""

import builtins
import collections
import contextlib
import io
import types

from snapshot import Firmware, IOBase, Refused

# In the namespace of a class, for CPython alone.
_OF_CPYTHON = {"__module__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__qualname__",
               "__static_attributes__", "__firstlineno__", "__orig_bases__"}  # fmt: skip
_OF_A_MODULE = {"__builtins__", "__doc__", "__package__", "__loader__", "__spec__",
                "__annotations__", "__name__", "__conditional_annotations__"}  # fmt: skip
_SLOTS = ("make_new", "print", "call", "unary_op", "binary_op", "attr", "subscr", "iter", "buffer")
_TYPES = {collections.OrderedDict: "ordereddict"}
_TYPES.update({kind: name for name, kind in vars(builtins).items() if isinstance(kind, type)})

INIT = object()  # stands for what anchorwatch_resident.c does when a package is imported


class Emitter:
    """`head` declares what `body` defines.

    tool     mpy-tool.py as a module, its qstrs read
    raw_of   {code object: (raw code of mpy-tool.py, name of the module's context)}
    symbols  {name of a module of the firmware: its symbol in C}
    """

    def __init__(self, tool, raw_of: dict, symbols: dict[str, str]) -> None:
        self._tool, self._raw_of, self._symbols = tool, raw_of, symbols
        self._known: dict[int, tuple[object, str]] = {}  # the object is held, so that its id is its own
        self._subclassed: set[type] = set()
        self.head: list[str] = []
        self.body: list[str] = []
        self._known[id(INIT)] = INIT, "MP_ROM_PTR(&anchorwatch_init_obj)"
        self.used: list = []  # raw codes of the functions

    def module(self, module: types.ModuleType, context: str, constants: str, package: bool) -> str:
        """A module with its namespace, whose symbol is returned; `constants` initialises what its
        bytecode stands on."""
        names = {"__name__": module.__name__}
        if package:
            names["__path__"] = ""
        names.update({k: v for k, v in vars(module).items() if k not in _OF_A_MODULE})
        if "." not in module.__name__:
            names["__init__"] = INIT
        table = self._dict(names, module.__name__, "names_" + context)
        self.body.append(
            f"const mp_module_context_t {context} = {{ .module = {{ .base = {{ &mp_type_module }}, "
            f".globals = (mp_obj_dict_t *)&{table} }}, .constants = {constants} }};")  # fmt: skip
        return table

    def known_as(self, value: object, symbol: str) -> None:
        """A value that is declared already, and defined later."""
        self._known[id(value)] = value, f"MP_ROM_PTR(&{symbol})"

    def value(self, value: object, where: str) -> str:
        """The C expression for a value; its definition goes to the body first."""
        if id(value) not in self._known or value is None:
            self._known[id(value)] = value, ""
            self._known[id(value)] = value, self._made(value, where)
        made = self._known[id(value)][1]
        if not made:
            raise Refused(f"{where} holds itself")
        return made

    def _made(self, value: object, where: str) -> str:
        if isinstance(value, types.FunctionType):
            return self._function(value, where)
        if isinstance(value, type):
            return self._type(value, where)
        if isinstance(value, Firmware):
            return f"MP_ROM_PTR(&{self._symbols[value.__name__]})"
        if isinstance(value, types.BuiltinFunctionType) and value.__module__ == "builtins":
            return f"MP_ROM_PTR(&mp_builtin_{value.__name__}_obj)"
        if isinstance(value, property):
            parts = [value.fget, value.fset, value.fdel]
            shown = ", ".join(self.value(part, where) for part in parts)
            return self._define("anchorwatch_property_t", where,
                                f"{{ {{ &mp_type_property }}, {{ {shown} }} }}")  # fmt: skip
        if isinstance(value, (staticmethod, classmethod)):
            kind, inner = type(value).__name__, self.value(value.__func__, where)
            return self._define("mp_rom_obj_static_class_method_t", where,
                                f"{{ {{ &mp_type_{kind} }}, {inner} }}")  # fmt: skip
        if type(value) is tuple and value:
            return self._tuple(value, where)
        if type(value) is dict:
            name = self._dict(value, where, self._symbol(where))
            return f"MP_ROM_PTR(&{name})"
        if type(value) is object:
            return self._define("mp_obj_base_t", where, "{ &mp_type_object }")
        if value is None or type(value) in (bool, int, float, str, bytes, tuple):
            return self._plain(value, where)
        raise Refused(f"{where} is of {type(value)}: make it a tuple or a function, or keep it in an object")

    def _plain(self, value: object, where: str) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            made = self._tool.CompiledModule.freeze_constant_obj(None, self._symbol(where), value)
        self.body.append(said.getvalue())
        return made

    def _tuple(self, value: tuple, where: str) -> str:
        items = [self.value(item, f"{where}[{at}]") for at, item in enumerate(value)]
        return self._define("mp_rom_obj_tuple_t", where,
                            f"{{ {{ &mp_type_tuple }}, {len(items)}, {{ {', '.join(items)} }} }}")  # fmt: skip

    def _dict(self, value: dict, where: str, symbol: str) -> str:
        rows = []
        for key, item in value.items():
            of = f"{where}.{key}" if isinstance(key, str) else f"{where}[{key!r}]"
            rows.append((self.value(key, of + " (key)"), self.value(item, of)))
        if rows:
            shown = " ".join(f"{{ {key}, {item} }}," for key, item in rows)
            self.body.append(f"static const mp_rom_map_elem_t {symbol}_rows[] = {{ {shown} }};")
        words = int(all(key.startswith("MP_ROM_QSTR") for key, _ in rows))
        table = f"(mp_map_elem_t *){symbol}_rows" if rows else "NULL"
        self.body.append(
            f"const mp_obj_dict_t {symbol} = {{ .base = {{ &mp_type_dict }}, .map = {{ "
            f".all_keys_are_qstrs = {words}, .is_fixed = 1, .is_ordered = 1, .used = {len(rows)}, "
            f".alloc = {len(rows)}, .table = {table} }} }};")  # fmt: skip
        return symbol

    def _function(self, made: types.FunctionType, where: str) -> str:
        if made.__code__ not in self._raw_of:
            raise Refused(f"{where}: no bytecode was found for this function")
        closed = made.__code__.co_freevars
        if closed not in ((), ("__class__",)):
            raise Refused(f"{where} is made by another function")
        raw, context = self._raw_of[made.__code__]
        defaults = [self.value(item, f"{where}({at})") for at, item in enumerate(made.__defaults__ or ())]
        if made.__kwdefaults__:
            defaults.append(self.value(made.__kwdefaults__, f"{where}(named)"))
        self.used.append(raw)
        children = f"(void *)&children_{raw.escaped_name}" if raw.children else "NULL"
        kind = "gen_wrap" if raw.scope_flags & self._tool.MP_SCOPE_FLAG_GENERATOR else "fun_bc"
        extra = ", ".join(f"(mp_obj_t){item}" for item in defaults)
        symbol = self._symbol(where)
        self.head.append(f"extern const mp_obj_fun_bc_t {symbol};")
        self.body.append(
            f"const mp_obj_fun_bc_t {symbol} = {{ .base = {{ &mp_type_{kind} }}, .context = &{context}, "
            f".child_table = {children}, .bytecode = fun_data_{raw.escaped_name}"
            + (f", .extra_args = {{ {extra} }}" if extra else "") + " };")  # fmt: skip
        made_so = f"MP_ROM_PTR(&{symbol})"
        return self._closure(made_so, made.__closure__[0], where) if closed else made_so

    def _closure(self, function: str, cell: types.CellType, where: str) -> str:
        """A method that asks for super(), with its class."""
        of = self.value(cell.cell_contents, where)
        cell_so = self._define("anchorwatch_cell_t", where, f"{{ {{ &mp_type_object }}, {of} }}")
        return self._define("anchorwatch_closure_t", where,
                            f"{{ {{ &mp_type_closure }}, {function}, 1, {{ {cell_so} }} }}")  # fmt: skip

    def _type(self, made: type, where: str) -> str:
        if made.__module__ == "builtins" or made in _TYPES:
            return f"MP_ROM_PTR(&mp_type_{_TYPES[made]})"
        symbol = self._symbol(where)
        self.head.append(f"extern const mp_obj_type_t {symbol};")
        self.known_as(made, symbol)
        names = {k: v for k, v in vars(made).items()
                 if k not in _OF_CPYTHON and not (k == "__hash__" and v is None)}  # fmt: skip
        table = self._dict(names, where, symbol + "_names")
        slots = [f"{slot}, anchorwatch_{slot}" for slot in _SLOTS]
        slots += [f"locals_dict, &{table}", *self._parents(made, where)]
        name = self._plain(made.__name__, where).removeprefix("MP_ROM_QSTR(").removesuffix(")")
        self.body.append(f"MP_DEFINE_CONST_OBJ_TYPE({symbol}, {name}, {self._flags(made)}, "
                         f"{', '.join(slots)});")  # fmt: skip
        return f"MP_ROM_PTR(&{symbol})"

    def _parents(self, made: type, where: str) -> list[str]:
        bases = [base for base in made.__bases__ if base is not object]
        if not bases:
            return []
        if len(bases) > 1:
            raise Refused(f"{where} has several bases")
        if bases[0] is IOBase:
            return ["parent, &anchorwatch_iobase", "protocol, &anchorwatch_stream"]
        return ["parent, " + self.value(bases[0], where + "^").removeprefix("MP_ROM_PTR(").removesuffix(")")]

    def _flags(self, made: type) -> str:
        flags = ["EQ_NOT_REFLEXIVE", "EQ_CHECKS_OTHER_TYPE", "EQ_HAS_NEQ_TEST", "ITER_IS_GETITER",
                 "INSTANCE_TYPE"]  # fmt: skip
        flags += ["IS_SUBCLASSED"] if made.__subclasses__() else []
        of_all = [pair for kind in made.__mro__ if kind.__module__ != "builtins"
                  for pair in vars(kind).items()]  # fmt: skip
        if any(isinstance(v, property) or k in ("__setattr__", "__delattr__") for k, v in of_all):
            flags.append("HAS_SPECIAL_ACCESSORS")
        return " | ".join("MP_TYPE_FLAG_" + flag for flag in flags)

    def _define(self, kind: str, where: str, text: str) -> str:
        symbol = self._symbol(where)
        self.head.append(f"extern const {kind} {symbol};")
        self.body.append(f"const {kind} {symbol} = {text};")
        return f"MP_ROM_PTR(&{symbol})"

    def _symbol(self, where: str) -> str:
        """A name in C for what is defined next."""
        plain = "".join(char if char.isalnum() and char.isascii() else "_" for char in where)
        return f"aw_{len(self.body) + len(self.head)}_{plain}"
