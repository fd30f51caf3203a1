"""The tables of ports/README.md, printed from the files of each port.

    python3 ports/catalogue.py            prints them
    python3 ports/catalogue.py --write    puts them into README.md

Rule: what a table says stands in a port's README.md or board.py, and nowhere else.
"""

import ast
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE / "README.md"
SHOWN = ("name", "network", "heap_kib", "disk_kib", "file_system", "second_session",
         "handshake_kib", "watchdog_s", "keeps_time_without_power")  # fmt: skip


def facts(file):
    """{name: value} of a board.py. ValueError: there is more in it than plain facts."""
    found = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            raise ValueError("%s, line %d: no fact" % (file, node.lineno))
        found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def boards(folder=HERE):
    """{folder: facts} of the ports that have a board.py."""
    return {file.parent.name: facts(file) for file in sorted(folder.glob("*/board.py"))}


def title(readme):
    """`# unix: the reference program` without the name of its folder."""
    first = readme.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    name, colon, rest = first.partition(": ")
    return rest if colon and name == readme.parent.name else first


def ports_table(folder=HERE):
    """Lines: every port, by the first line of its README.md."""
    lines = ["| folder | what it is | `make firmware` |", "| --- | --- | --- |"]
    for readme in sorted(folder.glob("*/README.md")):
        name = readme.parent.name
        built = "`PORT=%s`" % name if (readme.parent / "firmware.mk").exists() else "–"
        lines.append("| [%s](%s/README.md) | %s | %s |" % (name, name, title(readme), built))
    return lines


def cell(value):
    """A fact as a cell of a table."""
    if value is None:
        return "–"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def boards_table(folder=HERE):
    """Lines: every board.py, what differs most between them."""
    lines = ["| folder | %s |" % " | ".join(["`%s`" % name for name in SHOWN]),
             "| --- |" + " --- |" * len(SHOWN)]  # fmt: skip
    for name, known in boards(folder).items():
        lines.append("| %s | %s |" % (name, " | ".join([cell(known[fact]) for fact in SHOWN])))
    return lines


TABLES = {"ports": ports_table, "boards": boards_table}


def page(text, folder=HERE):
    """The page with its tables as the files are now. ValueError: it has no place for one."""
    for name, table in TABLES.items():
        begin, end = "<!-- %s -->\n" % name, "<!-- end of %s -->" % name
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError("README.md has no %s ... %s" % (begin.strip(), end))
        text = before + begin + "\n".join(table(folder)) + "\n" + end + after
    return text


def main(words):
    if words == ["--write"]:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    if words:
        print("catalogue: %s: give --write or nothing" % " ".join(words), file=sys.stderr)
        return 2
    for table in TABLES.values():
        print("\n".join(table()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
