"""Values of Python as constants in C, in the shapes that MicroPython's runtime reads.

Rule: what a program could change is refused by its name: in the flash it cannot. A dict cannot be
changed there, and the runtime says so.

Source: MicroPython 1.25, py/obj.h, py/objfun.h, py/bc.h.
"""

import builtins
import collections
import contextlib
import io
import types

from snapshot import Firmware, IOBase, Pure, Refused

# In the namespace of a class or of a module, for CPython alone.
_OF_CPYTHON = {
    "__module__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__qualname__",
    "__static_attributes__", "__firstlineno__", "__builtins__", "__package__", "__loader__",
    "__spec__", "__name__", "__conditional_annotations__", "__annotate__", "__annotate_func__",
    "__annotations_cache__",
}  # fmt: skip
_SLOTS = ("make_new", "print", "call", "unary_op", "binary_op", "attr", "subscr", "iter", "buffer")
_FLAGS = ("EQ_NOT_REFLEXIVE", "EQ_CHECKS_OTHER_TYPE", "EQ_HAS_NEQ_TEST", "ITER_IS_GETITER",
          "INSTANCE_TYPE")  # fmt: skip
_TYPES = {collections.OrderedDict: "ordereddict"}
_TYPES.update({kind: name for name, kind in vars(builtins).items() if isinstance(kind, type)})
_PLAIN = (type(None), bool, int, float, str, bytes)
INIT = object()  # stands for what anchorwatch_resident.c does when a package is imported


class Emitter:
    """`head` declares what `body` defines; `used` are the functions' raw codes.

    tool     mpy-tool.py as a module, its qstrs read
    raw_of   {code object: (raw code of mpy-tool.py, symbol of its module's context)}
    symbols  {name of a module of the firmware: its symbol in C}
    """

    def __init__(self, tool, raw_of: dict, symbols: dict[str, str]) -> None:
        self._tool, self._raw_of, self._symbols = tool, raw_of, symbols
        # By id; the object is held, so that no other takes its id.
        self._known: dict[int, tuple[object, str]] = {}
        self._known[id(INIT)] = INIT, _at("anchorwatch_init_obj")
        self.head: list[str] = []
        self.body: list[str] = []
        self.used: list = []
        self._makers = {
            types.FunctionType: self._function, types.BuiltinFunctionType: self._builtin,
            type: self._type, Firmware: self._module, Pure: self._module, dict: self._table,
            property: self._property, staticmethod: self._wrapped, classmethod: self._wrapped,
            tuple: self._tuple, object: self._object,
        }  # fmt: skip
        self._makers.update(dict.fromkeys(_PLAIN, self._plain))

    def module(self, module: types.ModuleType, context: str, constants: str, package: bool) -> str:
        """A module with its namespace, whose symbol is returned; `constants` initialises what its
        bytecode stands on."""
        names = {"__name__": module.__name__, **own(module)}
        if package:
            names["__path__"] = ""
        if "." not in module.__name__:
            names["__init__"] = INIT
        table = self._dict(names, module.__name__, "names_" + context)
        self.body.append(
            f"const mp_module_context_t {context} = {{ .module = {{ .base = {{ &mp_type_module }}, "
            f".globals = (mp_obj_dict_t *)&{table} }}, .constants = {constants} }};"
        )
        return table

    def known_as(self, value: object, symbol: str) -> None:
        """A value that is declared already, and defined later."""
        self._known[id(value)] = value, _at(symbol)

    def value(self, value: object, where: str) -> str:
        """The C expression for a value; its definition goes to the body first. Raises Refused."""
        if id(value) not in self._known:
            maker = self._makers.get(type(value))
            if maker is None:
                raise Refused(f"{where} is of {type(value)}, which a program could change: make it "
                              "a tuple, or make it inside a function")  # fmt: skip
            self._known[id(value)] = value, maker(value, where)
        return self._known[id(value)][1]

    def _module(self, value: Firmware, where: str) -> str:
        return _at(self._symbols[value.__name__])

    def _builtin(self, value: types.BuiltinFunctionType, where: str) -> str:
        if value.__module__ != "builtins":
            raise Refused(f"{where} is {value.__module__}.{value.__name__}: import the module")
        return _at(f"mp_builtin_{value.__name__}_obj")

    def _object(self, value: object, where: str) -> str:
        return self._define("mp_obj_base_t", where, "{ &mp_type_object }")

    def _property(self, value: property, where: str) -> str:
        parts = (value.fget, value.fset, value.fdel)
        shown = ", ".join(self.value(part, where) for part in parts)
        text = f"{{ {{ &mp_type_property }}, {{ {shown} }} }}"
        return self._define("anchorwatch_property_t", where, text)

    def _wrapped(self, value: staticmethod | classmethod, where: str) -> str:
        inner = self.value(value.__func__, where)
        text = f"{{ {{ &mp_type_{type(value).__name__} }}, {inner} }}"
        return self._define("mp_rom_obj_static_class_method_t", where, text)

    def _plain(self, value: object, where: str) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            freeze = self._tool.CompiledModule.freeze_constant_obj
            made: str = freeze(None, self._symbol(where), value)
        self.body.append(said.getvalue())
        return made

    def _tuple(self, value: tuple, where: str) -> str:
        if not value:
            return self._plain(value, where)
        items = [self.value(item, f"{where}[{at}]") for at, item in enumerate(value)]
        text = f"{{ {{ &mp_type_tuple }}, {len(items)}, {{ {', '.join(items)} }} }}"
        return self._define("mp_rom_obj_tuple_t", where, text)

    def _table(self, value: dict, where: str) -> str:
        return _at(self._dict(value, where, self._symbol(where)))

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
            f".alloc = {len(rows)}, .table = {table} }} }};"
        )
        return symbol

    def _function(self, value: types.FunctionType, where: str) -> str:
        closed = value.__code__.co_freevars
        if value.__code__ not in self._raw_of or closed not in ((), ("__class__",)):
            raise Refused(f"{where} is made by another function: write it at the top level")
        raw, context = self._raw_of[value.__code__]
        self.used.append(raw)
        defaults = list(value.__defaults__ or ())
        defaults += [value.__kwdefaults__] if value.__kwdefaults__ else []
        extra = ", ".join(
            f"(mp_obj_t){self.value(item, f'{where}({at})')}" for at, item in enumerate(defaults)
        )
        children = f"(void *)&children_{raw.escaped_name}" if raw.children else "NULL"
        generates = raw.scope_flags & self._tool.MP_SCOPE_FLAG_GENERATOR
        made = self._define("mp_obj_fun_bc_t", where,
            f"{{ .base = {{ &mp_type_{'gen_wrap' if generates else 'fun_bc'} }}, "
            f".context = &{context}, .child_table = {children}, "
            f".bytecode = fun_data_{raw.escaped_name}"
            + (f", .extra_args = {{ {extra} }} }}" if extra else " }"))  # fmt: skip
        return self._closure(made, value.__closure__[0], where) if closed else made

    def _closure(self, function: str, cell: types.CellType, where: str) -> str:
        """A method that asks for super(), with its class."""
        of = self.value(cell.cell_contents, where)
        held = self._define("anchorwatch_cell_t", where, f"{{ {{ &mp_type_object }}, {of} }}")
        text = f"{{ {{ &mp_type_closure }}, {function}, 1, {{ {held} }} }}"
        return self._define("anchorwatch_closure_t", where, text)

    def _type(self, value: type, where: str) -> str:
        if value in _TYPES:
            return _at("mp_type_" + _TYPES[value])
        symbol = self._symbol(where)
        self.head.append(f"extern const mp_obj_type_t {symbol};")
        self.known_as(value, symbol)  # its methods may name it
        table = self._dict(own(value), where, symbol + "_names")
        slots = [f"{slot}, anchorwatch_{slot}" for slot in _SLOTS]
        slots += [f"locals_dict, &{table}", *self._parent(value, where)]
        name = self._plain(value.__name__, where)[len("MP_ROM_QSTR(") : -1]
        self.body.append(
            f"MP_DEFINE_CONST_OBJ_TYPE({symbol}, {name}, {_flags(value)}, {', '.join(slots)});"
        )
        return _at(symbol)

    def _parent(self, value: type, where: str) -> list[str]:
        if value.__bases__ == (object,):
            return []
        if len(value.__bases__) > 1:
            raise Refused(f"{where} has several bases: derive it from one")
        if value.__base__ is IOBase:
            return ["parent, &anchorwatch_iobase", "protocol, &anchorwatch_stream"]
        return ["parent, " + self.value(value.__base__, where + "^")[len("MP_ROM_PTR(") : -1]]

    def _define(self, kind: str, where: str, text: str) -> str:
        symbol = self._symbol(where)
        self.head.append(f"extern const {kind} {symbol};")
        self.body.append(f"const {kind} {symbol} = {text};")
        return _at(symbol)

    def _symbol(self, where: str) -> str:
        """A name in C for what is defined next."""
        plain = "".join(char if char.isalnum() and char.isascii() else "_" for char in where)
        return f"aw_{len(self.body) + len(self.head)}_{plain}"


def own(value: type | types.ModuleType) -> dict:
    """What the source says of a class or a module, without what CPython adds."""
    named = {name: item for name, item in vars(value).items() if name not in _OF_CPYTHON}
    if named.get("__hash__", 0) is None:
        del named["__hash__"]  # CPython's way to say that a class has __eq__
    return named


def _at(symbol: str) -> str:
    return f"MP_ROM_PTR(&{symbol})"


def _flags(value: type) -> str:
    """As of mp_obj_new_type in py/objtype.c."""
    flags = list(_FLAGS) + (["IS_SUBCLASSED"] if value.__subclasses__() else [])
    of_all = [pair for kind in value.__mro__ if kind not in _TYPES for pair in vars(kind).items()]
    if any(isinstance(v, property) or k in ("__setattr__", "__delattr__") for k, v in of_all):
        flags.append("HAS_SPECIAL_ACCESSORS")
    return " | ".join("MP_TYPE_FLAG_" + flag for flag in flags)
