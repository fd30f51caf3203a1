"""What must not be used on a board, because one has not got it or does it differently.

Rule: one row a trap, with the reason; a trap that is loud on a board is here too, since a lane that
runs MicroPython only meets the lines that a test reaches. Source: runs of MicroPython 1.26.1 and
1.29-preview beside CPython.
"""

import ast
import io
import tokenize

MODULES = {
    # module: names that exist on every board (None: all)
    "binascii": ("hexlify", "unhexlify", "a2b_base64", "b2a_base64", "crc32"),
    "collections": ("deque", "OrderedDict"),
    "hashlib": ("sha256",),
    "json": ("dumps", "loads"),
    "struct": ("pack", "unpack", "unpack_from", "pack_into", "calcsize"),
}

# What the driver for boards and the hooks of ports may use besides. No asyncio: one loop waits. No
# ssl: that wrapper of `tls` verifies nothing unless it is told to, and hides what we need.
DRIVER_MODULES = dict(
    MODULES,
    errno=("EAGAIN", "EINPROGRESS"),
    gc=("collect", "mem_alloc", "mem_free", "threshold"),
    io=("IOBase", "StringIO"),
    json=("dump", "dumps", "load", "loads"),
    machine=("RTC", "Timer", "WDT", "WDT_RESET", "mem32", "reset", "reset_cause"),
    os=("getcwd", "listdir", "mkdir", "remove", "rename", "rmdir", "stat", "statvfs", "sync",
        "urandom"),
    select=("POLLERR", "POLLHUP", "POLLIN", "POLLOUT", "poll"),
    socket=("AF_INET", "AF_INET6", "SOCK_DGRAM", "SOCK_STREAM", "getaddrinfo", "inet_ntop",
            "sockaddr", "socket"),
    sys=("modules", "print_exception", "stdin", "stdout"),
    time=("gmtime", "sleep", "ticks_diff", "ticks_ms", "time"),
    tls=("CERT_NONE", "CERT_REQUIRED", "PROTOCOL_TLS_CLIENT", "SSLContext"),
    vfs=("VfsFat", "VfsLfs2", "mount"),
    network=("LAN", "STA_IF", "WLAN"),
    esp32=("HEAP_DATA", "idf_heap_info"),
    mps2=("Disk", "word"),
    anchorwatch_mbedtls=None,
    anchorwatch=None,
    anchorwatch_board=None,
    anchorwatch_factory=None,
    board=None,
)  # fmt: skip

METHODS = {
    # method: why not
    "removeprefix": "missing",
    "removesuffix": "missing",
    "title": "missing",
    "zfill": "missing",
    "casefold": "missing",
    "ljust": "missing",
    "rjust": "missing",
    "swapcase": "missing",
    "expandtabs": "missing",
    "translate": "missing",
    "maketrans": "missing",
    "isalnum": "missing",
    "isascii": "missing",
    "isidentifier": "missing",
    "isprintable": "missing",
    "isnumeric": "missing",
    "isdecimal": "missing",
    "format_map": "missing",
    "hexdigest": "missing",
    "bit_length": "missing",
    "bit_count": "missing",
    "tobytes": "missing",
    "cast": "missing",
    "as_integer_ratio": "missing",
}

OF_THE_DRIVER = "input and output belong to the driver"
NAMES = {
    # builtin: why not
    "vars": "missing",
    "ascii": "missing",
    "format": "missing",
    "breakpoint": "missing",
    "print": OF_THE_DRIVER,
    "open": OF_THE_DRIVER,
    "input": OF_THE_DRIVER,
    "eval": "runs what somebody else wrote",
    "exec": "runs what somebody else wrote",
    "TimeoutError": "missing",
    "ConnectionError": "missing",
    "ConnectionResetError": "missing",
    "ConnectionRefusedError": "missing",
    "ConnectionAbortedError": "missing",
    "BrokenPipeError": "missing",
    "BlockingIOError": "missing",
    "InterruptedError": "missing",
    "FileNotFoundError": "missing",
    "FileExistsError": "missing",
    "PermissionError": "missing",
    "IsADirectoryError": "missing",
    "NotADirectoryError": "missing",
    "ProcessLookupError": "missing",
    "ChildProcessError": "missing",
    "RecursionError": "missing",
    "ModuleNotFoundError": "missing",
    "UnicodeDecodeError": "missing, use UnicodeError",
    "UnicodeEncodeError": "missing, use UnicodeError",
    "ExceptionGroup": "missing",
}

ATTRIBUTES = {
    "__cause__": "not kept",
    "__context__": "not kept",
    "__traceback__": "not kept",
    "__doc__": "not kept",
    "__slots__": "not enforced",
    "__init_subclass__": "ignored",
    "__new__": "not called as on CPython",
    "strerror": "missing",
}

KEYWORDS = {
    # (function or method, keyword): why not; "*" is any keyword
    ("zip", "strict"): "missing",
    ("from_bytes", "*"): "takes no keyword, and no sign",
    ("to_bytes", "*"): "takes no keyword, and no sign",
    ("split", "*"): "takes no keyword",
    ("rsplit", "*"): "takes no keyword",
    ("replace", "*"): "takes no keyword",
    ("encode", "*"): "takes no keyword, and no error handler",
    ("decode", "*"): "takes no keyword, and no error handler",
    ("sum", "start"): "takes no keyword",
    ("dumps", "indent"): "missing",
    ("dumps", "sort_keys"): "missing: sort before",
    ("dumps", "ensure_ascii"): "missing: text that is not ASCII is kept",
    ("dumps", "default"): "missing",
    ("dumps", "cls"): "missing",
    ("dumps", "allow_nan"): "missing",
    ("loads", "*"): "takes no keyword",
}

NODES = {
    "Match": "`match` does not parse",
    "TryStar": "`except*` does not parse",
    "AsyncFunctionDef": "the portable part waits for nothing",
    "AsyncFor": "the portable part waits for nothing",
    "AsyncWith": "the portable part waits for nothing",
    "Await": "the portable part waits for nothing",
    "TypeAlias": "`type` does not parse",
}


def complaints(source, package_depth=2, modules=MODULES):
    """["12: hexdigest: missing"]: what a board would not do as CPython does.

    package_depth   how many dots a relative import may have before it leaves the package
    modules         that may be imported: MODULES, and then nobody reads or writes, or the driver's
    """
    tree = ast.parse(source)
    own = {name for node in ast.walk(tree) for name in _own(node)}
    ours = {name for node in ast.walk(tree) for name in _own(node, (ast.ImportFrom,))}
    found = []
    for node in ast.walk(tree):
        texts = [text for judge in JUDGES for text in judge(node)]
        texts += list(_imports(node, modules)) + list(_names(node, modules, own))
        texts += list(_calls(node, ours))
        found += [(getattr(node, "lineno", 0), text) for text in texts]
        if isinstance(node, ast.ImportFrom) and node.level > package_depth:
            found.append((node.lineno, "import: leaves the package"))
    found += _mixed_strings(source)
    return ["%d: %s" % pair for pair in sorted(found)]


def _own(node, kinds=(ast.ImportFrom, ast.arg)):
    """Names of modules of ours, and of arguments: not the modules of a board of that name."""
    if isinstance(node, kinds) and isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name
    elif isinstance(node, kinds):
        yield node.arg


def _nodes(node):
    name = type(node).__name__
    if name in NODES:
        yield NODES[name]
    if isinstance(node, ast.With) and len(node.items) > 1:
        yield "`with` of several: one each"
    if isinstance(node, ast.comprehension) and node.is_async:
        yield "an asynchronous comprehension does not parse"
    if isinstance(node, ast.Raise) and node.cause is not None:
        yield "`raise ... from`: the cause is not kept, put it in a field"


def _displays(node):
    if isinstance(node, (ast.List, ast.Set, ast.Tuple)) and isinstance(
        getattr(node, "ctx", ast.Load()), ast.Load
    ):
        if any(isinstance(item, ast.Starred) for item in node.elts):
            yield "`[*a]` does not parse"
    if isinstance(node, ast.Dict) and None in node.keys:
        yield "`{**a}` does not parse"
    if isinstance(node, ast.Slice) and node.step is not None:
        yield "a slice of text or bytes has no step"


def _functions(node):
    if isinstance(node, (ast.FunctionDef, ast.Lambda)) and node.args.posonlyargs:
        yield "positional-only `/` does not parse"
    if isinstance(node, ast.FunctionDef):
        for decorator in node.decorator_list:
            if not isinstance(decorator, (ast.Name, ast.Attribute)):
                yield "a decorator is a name, no expression"
        if node.name in ATTRIBUTES:
            yield "%s: %s" % (node.name, ATTRIBUTES[node.name])


def _classes(node):
    if isinstance(node, ast.ClassDef) and node.keywords:
        yield "a keyword in a class line (metaclass) is refused"
    if isinstance(node, ast.ClassDef) and node.decorator_list:
        yield "a class has no decorator here"


def _imports(node, modules):
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name not in modules:
                yield "import %s: not on every board" % alias.name
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        known = modules.get(node.module.partition(".")[0], ())
        for alias in node.names:
            if known is not None and ("." in node.module or alias.name not in known):
                yield "from %s import %s: not on every board" % (node.module, alias.name)


def _names(node, modules, own):
    if isinstance(node, ast.Name) and node.id in NAMES:
        if modules is MODULES or NAMES[node.id] != OF_THE_DRIVER:
            yield "%s: %s" % (node.id, NAMES[node.id])
    if isinstance(node, ast.Attribute):
        of = getattr(node.value, "id", "")
        known = modules.get(of)
        if known is not None and of not in own and node.attr not in known:
            yield "%s.%s: not on every board" % (of, node.attr)


def _attributes(node):
    if isinstance(node, ast.Name) and node.id in ATTRIBUTES and isinstance(node.ctx, ast.Store):
        yield "%s: %s" % (node.id, ATTRIBUTES[node.id])
    if isinstance(node, ast.Attribute):
        attribute = node.attr
        if attribute in ATTRIBUTES:
            yield "%s: %s" % (attribute, ATTRIBUTES[attribute])
        if attribute[:2] == "__" and attribute[-2:] != "__":
            yield "%s: two underscores are not mangled on a board" % attribute


def _calls(node, ours):
    if not isinstance(node, ast.Call):
        return
    method = isinstance(node.func, ast.Attribute)
    if method and getattr(node.func.value, "id", "") in ours:
        return  # frame.encode() is a function of ours, and no method
    name = node.func.attr if method else getattr(node.func, "id", "")
    if method and name in METHODS:
        yield "%s: %s" % (name, METHODS[name])
    for keyword in node.keywords:
        for known in ((name, keyword.arg), (name, "*")):
            if known in KEYWORDS:
                yield "%s(%s=): %s" % (name, keyword.arg, KEYWORDS[known])
    yield from _arguments(name, node.args)


def _arguments(name, arguments):
    values = [node.value if isinstance(node, ast.Constant) else None for node in arguments]
    coding = values[0] if name in ("encode", "decode") and values else None
    coding = values[1] if name in ("str", "bytes") and len(values) > 1 else coding
    if coding is not None and coding not in ("utf-8", "utf8"):
        yield "%s(%r): a board ignores the name of a coding" % (name, coding)
    if name in ("encode", "decode") and len(arguments) > 1:
        yield "%s: has no error handler" % name
    if name == "pow" and len(arguments) == 3 and isinstance(arguments[1], ast.UnaryOp):
        yield "pow: a negative exponent is wrong without a word"
    if name == "deque" and len(arguments) < 2:
        yield "deque: needs a limit"
    if name in ("pack", "unpack", "unpack_from", "calcsize") and "?" in str(values[:1]):
        yield "struct: has no ?"


def _formats(node):
    if not isinstance(node, ast.FormattedValue):
        return
    if any(isinstance(part, ast.JoinedStr) for part in ast.walk(node.value)):
        yield "an f-string in an f-string does not parse"
    if node.conversion == ord("a"):
        yield "`!a` does not parse"


JUDGES = (_nodes, _displays, _functions, _classes, _attributes, _formats)


def _mixed_strings(source):
    """Neighbours "{}" f"{x}": a board formats the braces of the plain one too."""
    found, group = [], []
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":
            depth += 1
            group += [("f", token.start[0], "")] if depth == 1 else []
        elif kind == "FSTRING_END":
            depth -= 1
        elif depth == 0 and kind == "STRING":
            prefix = token.string.partition(token.string[-1])[0].lower()
            group.append(("f" if "f" in prefix else "", token.start[0], token.string))
        elif depth == 0 and kind not in ("NL", "COMMENT"):
            found += _mixed(group)
            group = []
    return found


def _mixed(group):
    if not any(kind == "f" for kind, _, _ in group):
        return []
    plain = [(line, text) for kind, line, text in group if kind == ""]
    return [
        (line, "braces in a plain text beside an f-string are formatted on a board")
        for line, text in plain
        if "{" in text or "}" in text
    ]
