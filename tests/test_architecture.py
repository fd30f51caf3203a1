"""The rules of the house, each held by a test, and each test shown a house that breaks it."""

import ast
import subprocess
import sys

import pytest

from tests import house
from tests.board_subset import DRIVER_MODULES, complaints

AGENT = house.ROOT / "agent"
PACKAGE = AGENT / house.PACKAGE
HIL = house.ROOT / "hil"
PORTABLE_FILES = house.portable_files(PACKAGE)
BOARD_FILES = [
    *house.python_files(house.ROOT / "micropython" / "anchorwatch_board"),
    house.ROOT / "micropython" / "main.py",
    *sorted(
        file
        for file in (house.ROOT / "ports").glob("*/*.py")
        if file.name in ("board.py", "boot.py", "hooks.py")
    ),
]
LONGEST_FILE = 250
LONGEST_FUNCTION = 40
# One file each, so that a change of library is a change of one file.
ONE_FILE_EACH = ("ssl", "paho", "cryptography")
NEVER_IN_THE_DAEMON = ("argparse", "logging", "cryptography", "urllib", "http")
SERVICE_STRINGS = {"wire/credentials.py", "wire/dps.py", "wire/hub.py"}


def make(folder, files):
    """Write {path: source} under `folder`; every package gets its __init__.py."""
    for path, source in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(source, encoding="utf-8")
    return folder


def names(files):
    return [file.relative_to(house.ROOT).as_posix() for file in files]


@pytest.mark.parametrize("file", PORTABLE_FILES, ids=names(PORTABLE_FILES))
def test_portable_file_uses_what_every_board_has(file):
    depth = len(file.relative_to(PACKAGE).parts)
    assert complaints(file.read_text(encoding="utf-8"), depth) == []


@pytest.mark.parametrize("file", BOARD_FILES, ids=names(BOARD_FILES))
def test_driver_for_boards_uses_what_boards_have(file):
    assert complaints(file.read_text(encoding="utf-8"), 1, DRIVER_MODULES) == []


def test_driver_and_hooks_of_every_port_are_looked_at():
    looked = names(BOARD_FILES)
    assert "micropython/main.py" in looked and "micropython/anchorwatch_board/tls.py" in looked
    assert len([name for name in looked if name.endswith("/board.py")]) >= 6
    assert len([name for name in looked if name.endswith("/hooks.py")]) >= 4


DRIVER_TRAPS = [
    ("import asyncio", "import asyncio"),
    ("import ssl", "import ssl"),
    ("from ssl import SSLContext", "from ssl import SSLContext"),
    ("def f():\n    import logging", "import logging"),
    ("import os.path", "import os.path"),
    ("import os\nos.replace(a, b)", "os.replace"),
    ("import os\nos.environ", "os.environ"),
    ("import time\ntime.monotonic()", "time.monotonic"),
    ("import socket\nsocket.create_connection(a)", "socket.create_connection"),
    ("import hashlib\nhashlib.sha1(a)", "hashlib.sha1"),
    ("from .. import x", "leaves the package"),
    ("async def f(): pass", "waits for nothing"),
    ("a.encode('latin-1')", "coding"),
    ("eval(a)", "somebody else wrote"),
    ("import json\njson.dumps(a, sort_keys=True)", "sort_keys"),
]


@pytest.mark.parametrize("line, word", DRIVER_TRAPS, ids=[row[0] for row in DRIVER_TRAPS])
def test_what_no_board_has_is_seen_in_the_driver_too(line, word):
    assert word in " ".join(complaints(line + "\n", 1, DRIVER_MODULES)), line


def test_what_boards_have_is_left_alone_in_the_driver():
    source = (
        "import gc, os, tls\n"
        "from anchorwatch.wire import frame\n"
        "from anchorwatch_board.wifi import Station\n"
        "from . import folder, time\n"
        "def f(path):\n"
        "    with open(path) as file: print(frame.encode(3, file.read()), os.stat(path)[6])\n"
        "    return tls.SSLContext(tls.PROTOCOL_TLS_CLIENT), gc.mem_free(), time.monotonic()\n"
    )
    assert complaints(source, 1, DRIVER_MODULES) == []


TRAPS = [
    # a line, a word of the complaint
    ("import re", "import re"),
    ("import os", "import os"),
    ("from typing import Any", "from typing import Any"),
    ("from __future__ import annotations", "__future__"),
    ("from collections import namedtuple", "namedtuple"),
    ("from .... import x", "leaves the package"),
    ("match a:\n    case 1: pass", "match"),
    ("def f(a, /): pass", "positional-only"),
    ("b = [*a]", "[*a]"),
    ("b = {**a}", "{**a}"),
    ("b = a[::-1]", "step"),
    ("with a, b: pass", "with"),
    ("async def f(): pass", "waits for nothing"),
    ("raise A() from b", "cause"),
    ("class A(metaclass=B): pass", "metaclass"),
    ("@a\nclass A: pass", "decorator"),
    ("@a(1)\ndef f(): pass", "decorator"),
    ("class A:\n    def __new__(cls): pass", "__new__"),
    ("class A:\n    __slots__ = ()", "__slots__"),
    ("self.__x = 1", "mangled"),
    ("e.__cause__", "__cause__"),
    ("a.removeprefix('x')", "removeprefix"),
    ("a.zfill(2)", "zfill"),
    ("a.ljust(2)", "ljust"),
    ("a.hexdigest()", "hexdigest"),
    ("a.bit_length()", "bit_length"),
    ("a.translate(t)", "translate"),
    ("vars(a)", "vars"),
    ("print(a)", "driver"),
    ("open(a)", "driver"),
    ("try:\n    f()\nexcept TimeoutError:\n    pass", "TimeoutError"),
    ("zip(a, b, strict=True)", "strict"),
    ("int.from_bytes(a, 'big', signed=True)", "from_bytes"),
    ("a.split(',', maxsplit=1)", "split"),
    ("a.decode('ascii')", "coding"),
    ("str(a, 'latin-1')", "coding"),
    ("a.decode('utf-8', 'replace')", "error handler"),
    ("pow(a, -1, m)", "negative"),
    ("hashlib.sha384(a)", "sha384"),
    ("json.dumps(a, sort_keys=True)", "sort_keys"),
    ("json.JSONDecodeError", "JSONDecodeError"),
    ("struct.error", "struct.error"),
    ("struct.pack('!?', a)", "has no ?"),
    ("f'{a!a}'", "!a"),
    ("f'{f\"x{a}\"}'", "f-string in an f-string"),
    ("x = f'{a}' '{}'", "braces"),
    ("x = ('{'\n     f'{a}')", "braces"),
]


@pytest.mark.parametrize("line, word", TRAPS, ids=[row[0] for row in TRAPS])
def test_each_trap_of_a_board_is_seen(line, word):
    assert word in " ".join(complaints(line + "\n")), line


def test_what_a_board_can_do_is_left_alone():
    source = (
        "import binascii, hashlib, json, struct\n"
        "from . import twin\n"
        "from ..errors import ConfigError\n"
        "def f(*values: int, key: str | None = None, **named: int) -> list[int]:\n"
        "    a, *b = g(*values, **named)\n"
        "    if (n := len(b)) > 1:\n"
        "        return f'{a:>{n}} {key!r}' ' plain'\n"
        "    return [x for x in a[1:-1]] + pow(3, 5, 7) + a.encode('utf-8') + d.pop('x', None)\n"
        "class A(B):\n"
        "    @property\n"
        "    def c(self): return super().c\n"
    )
    assert complaints(source) == []


@pytest.mark.parametrize("file", PORTABLE_FILES, ids=names(PORTABLE_FILES))
def test_portable_file_is_no_longer_than_a_reader_likes(file):
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, "%d lines: this is probably two files" % lines


def test_every_portable_folder_is_there():
    found = {file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in PORTABLE_FILES}
    assert found == set(house.PORTABLE)


@pytest.mark.parametrize("folder", ["agent", "hil", "micropython"])
def test_no_function_is_longer_than_a_screen(folder):
    files = house.python_files(house.ROOT / folder)
    found = {str(file): house.long_functions(file, LONGEST_FUNCTION) for file in files}
    assert {file: functions for file, functions in found.items() if functions} == {}


def test_long_function_is_seen_and_its_docstring_not_counted(tmp_path):
    body = "    a = 1\n" * LONGEST_FUNCTION
    file = tmp_path / "long.py"
    file.write_text("def f():\n" + body, encoding="utf-8")
    assert house.long_functions(file, LONGEST_FUNCTION) == ["f (41 lines)"]
    file.write_text('def f():\n    """A.\n\n    B.\n    """\n' + body[10:], encoding="utf-8")
    assert house.long_functions(file, LONGEST_FUNCTION) == []


def test_no_module_imports_from_a_floor_above():
    assert house.arrows_upward(house.import_graph(AGENT)) == []


def test_no_module_imports_itself_by_a_detour():
    assert house.cycle(house.import_graph(AGENT)) == []


def test_arrow_upward_and_cycle_are_seen(tmp_path):
    make(
        tmp_path,
        {
            "anchorwatch/errors.py": "",
            "anchorwatch/wire/dps.py": "def f():\n    from ..core.watch import Watch\n",
            "anchorwatch/core/watch.py": "from . import twin\nfrom ..errors import X\n",
            "anchorwatch/core/twin.py": "from .watch import Watch\n",
        },
    )
    graph = house.import_graph(tmp_path)
    assert house.arrows_upward(graph) == ["anchorwatch.wire.dps -> anchorwatch.core.watch"]
    assert house.cycle(graph) == ["anchorwatch.core.twin", "anchorwatch.core.watch"] + [
        "anchorwatch.core.twin"
    ]


def test_module_without_a_floor_is_told_to_get_one(tmp_path):
    make(tmp_path, {"anchorwatch/utils.py": "from . import errors", "anchorwatch/errors.py": ""})
    with pytest.raises(AssertionError, match=r"utils is on no floor"):
        house.arrows_upward(house.import_graph(tmp_path))


def test_bench_and_cloud_do_not_know_the_agent():
    """Only hil/fleet may: strings written twice show a mistake that a shared one would hide. What
    runs on the board under test, bench/onboard, is the device's and not the bench's."""
    found = house.importers(HIL, house.ROOT, "anchorwatch")
    assert [file for file in found if not file.startswith(("fleet/", "bench/onboard/"))] == []


def test_fleet_knows_no_more_of_the_agent_than_its_portable_part():
    allowed = ["anchorwatch." + name for name in house.PORTABLE]
    for file in house.python_files(HIL / "fleet"):
        for line, name in house.imports(file, house.ROOT):
            if house.is_in(name, "anchorwatch"):
                assert any(house.is_in(name, part) for part in allowed), "%s:%d" % (file, line)


@pytest.mark.parametrize("stranger", ["hil", "tests"])
def test_agent_does_not_know_its_bench(stranger):
    assert house.importers(AGENT, AGENT, stranger) == []
    assert house.importers(house.ROOT / "micropython", house.ROOT, stranger) == []


@pytest.mark.parametrize("library", ONE_FILE_EACH)
def test_library_is_known_to_one_file_of_the_driver(library):
    found = house.importers(PACKAGE, AGENT, library)
    assert [file for file in found if not file.startswith(("linux/", "vendor/"))] == []
    assert len([file for file in found if file.startswith("linux/")]) == 1, found


def test_only_the_integrators_tools_know_tuf():
    found = house.importers(PACKAGE, AGENT, "tuf")
    assert [file for file in found if not file.startswith("vendor/")] == []


def test_nothing_but_the_integrators_tools_knows_them():
    found = house.importers(PACKAGE, AGENT, "anchorwatch.vendor")
    assert [file for file in found if not file.startswith("vendor/")] == []


def test_importers_are_seen_however_they_import(tmp_path):
    make(
        tmp_path,
        {
            "anchorwatch/linux/a.py": "import ssl",
            "anchorwatch/linux/b.py": "def f():\n    from ssl import SSLContext",
            "anchorwatch/linux/c.py": "import sslyze\nfrom . import ssl_like",
            "anchorwatch/linux/d.py": "import paho.mqtt.client as paho",
            "anchorwatch/linux/e.py": "from ..vendor import sign",
        },
    )
    folder = tmp_path / "anchorwatch"
    assert house.importers(folder, tmp_path, "ssl") == ["linux/a.py", "linux/b.py"]
    assert house.importers(folder, tmp_path, "paho") == ["linux/d.py"]
    assert house.importers(folder, tmp_path, "anchorwatch.vendor") == ["linux/e.py"]


def test_strings_of_the_services_stand_in_three_files():
    found = set()
    for file in house.python_files(AGENT):
        text = file.read_text(encoding="utf-8")
        if "$dps" in text or "$iothub" in text:
            found.add(file.relative_to(PACKAGE).as_posix())
    assert found == SERVICE_STRINGS


def test_daemon_never_loads_what_it_does_not_need():
    """A module put there by hand, without a file, is a stand-in and costs nothing."""
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import anchorwatch.linux.daemon\n"
        "for name in sorted(set(sys.modules) - before):\n"
        "    if getattr(sys.modules[name], '__file__', None):\n"
        "        print(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=AGENT
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "anchorwatch.loop" in loaded
    unwanted = [name for name in loaded if any(house.is_in(name, n) for n in NEVER_IN_THE_DAEMON)]
    assert unwanted == []


def test_folder_micropython_is_no_package():
    """With one, `import micropython` on CPython would find it from the root of the project."""
    folder = house.ROOT / "micropython"
    assert not (folder / "__init__.py").exists()
    for part in ("agent", "hil", "tests"):
        assert house.importers(house.ROOT / part, house.ROOT, "micropython") == []


def test_runtime_is_asked_in_one_place_and_by_its_name():
    asking = []
    for file in house.python_files(PACKAGE):
        for node in ast.walk(house.tree_of(file)):
            if isinstance(node, ast.Attribute) and node.attr == "implementation":
                asking.append(file.relative_to(PACKAGE).as_posix())
    assert asking == ["__init__.py"]


@pytest.mark.parametrize("name", ["events.py", "actions.py"])
def test_record_names_its_fields_twice_and_equally(name):
    file = PACKAGE / "core" / name
    classes = [node for node in house.tree_of(file).body if isinstance(node, ast.ClassDef)]
    assert len(classes) > 10
    assert house.unequal_records(file) == []


def test_unequal_record_is_seen(tmp_path):
    file = tmp_path / "events.py"
    file.write_text(
        "class A(Record):\n    fields = ('b', 'c')\n    b: int\n    c: str\n"
        "class B(Record):\n    fields = ('b', 'c')\n    c: str\n    b: int\n"
        "class C(Record):\n    b: int\n",
        encoding="utf-8",
    )
    assert [row.partition(":")[0] for row in house.unequal_records(file)] == ["B", "C"]
