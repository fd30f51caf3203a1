"""The files of the project as trees, and who imports whom.

Rule: it answers questions about any folder it is given, so that the tests can show it a bad one.
"""

import ast
import functools
import pathlib

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = "anchorwatch"

# From the ground up. A module of a floor may import its own floor and those below.
FLOORS = (
    ("constants", "version", "errors", "values", "settings", "relations", "sections", "config"),
    ("wire", "pki"),
    ("core",),
    ("loop", "performers"),
    ("linux", "vendor"),
)
PORTABLE = tuple([name for floor in FLOORS[:4] for name in floor])


def python_files(folder):
    return sorted(folder.rglob("*.py")) if folder.is_dir() else []


def tree_of(file):
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def module_name(file, source_root):
    """agent/anchorwatch/core/twin.py -> anchorwatch.core.twin"""
    parts = list(file.relative_to(source_root).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def _import_lines(source):
    """[(line, dots, module or "", [name])] of a text, read once however many rules ask."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.append((node.lineno, None, "", [alias.name for alias in node.names]))
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            found.append((node.lineno, node.level, node.module or "", names))
    return found


def imports(file, source_root):
    """[(line, full name of what is imported)], also inside functions; `from . import x` gives x."""
    package = module_name(file, source_root).split(".")
    if file.name != "__init__.py":
        package = package[:-1]
    found = []
    for line, dots, module, names in _import_lines(file.read_text(encoding="utf-8")):
        start = package[: len(package) - dots + 1] if dots else []
        base = start + ([module] if module else [])
        found += [(line, ".".join([*base, name])) for name in names]
    return found


def is_in(name, package):
    return name == package or name.startswith(package + ".")


def floor_of(module):
    """The number of a module's floor; None for the package itself, which hands out the Agent."""
    part = (module.split(".") + [""])[1]
    if not part:
        return None
    for number, floor in enumerate(FLOORS):
        if part in floor:
            return number
    raise AssertionError("%s is on no floor: give it one in tests/house.py" % module)


def portable_files(package):
    """The files that must run on a board, under the folder of the package."""
    files = [package / (name + ".py") for name in PORTABLE]
    return sorted(
        [file for file in files if file.is_file()]
        + [file for name in PORTABLE for file in python_files(package / name)]
    )


def import_graph(source_root):
    """{module: modules of the package that it imports}; a name in a module is the module."""
    files = python_files(source_root / PACKAGE)
    modules = {module_name(file, source_root): file for file in files}
    graph = {}
    for module, file in modules.items():
        graph[module] = set()
        for _, name in imports(file, source_root):
            while name and name not in modules:
                name = name.rpartition(".")[0]
            if name and name != module:
                graph[module].add(name)
    return graph


def arrows_upward(graph):
    """["anchorwatch.wire.dps -> anchorwatch.core.watch"]: imports against the floors."""
    found = []
    for module in sorted(graph):
        for target in sorted(graph[module]):
            here, there = floor_of(module), floor_of(target)
            if here is not None and there is not None and there > here:
                found.append("%s -> %s" % (module, target))
    return found


def cycle(graph):
    """One cycle as a list of modules, or []. The package itself imports lazily and is left out."""
    done, path = set(), []

    def walk(module):
        if module in path:
            return path[path.index(module) :] + [module]
        if module in done or module == PACKAGE:
            return []
        path.append(module)
        for target in sorted(graph.get(module, ())):
            found = walk(target)
            if found:
                return found
        done.add(path.pop())
        return []

    for module in sorted(graph):
        found = walk(module)
        if found:
            return found
    return []


def importers(folder, source_root, library):
    """Files under `folder` that import `library`, as posix paths from `folder`."""
    return [
        file.relative_to(folder).as_posix()
        for file in python_files(folder)
        if any(is_in(name, library) for _, name in imports(file, source_root))
    ]


def long_functions(file, most):
    """["name (41 lines)"]: longer than `most` without the docstring."""
    found = []
    for node in ast.walk(tree_of(file)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node, clean=False) is not None:
                lines -= node.body[0].end_lineno - node.body[0].lineno + 1
            if lines > most:
                found.append("%s (%d lines)" % (node.name, lines))
    return found


def unequal_records(file):
    """Classes whose `fields` and annotations differ in names or order."""
    found = []
    for node in tree_of(file).body:
        if not isinstance(node, ast.ClassDef):
            continue
        annotated, fields = [], ()
        for line in node.body:
            if isinstance(line, ast.AnnAssign):
                annotated.append(line.target.id)
            elif isinstance(line, ast.Assign) and line.targets[0].id == "fields":
                fields = ast.literal_eval(line.value)
        if tuple(annotated) != tuple(fields):
            found.append("%s: fields %s, annotated %s" % (node.name, list(fields), annotated))
    return found
