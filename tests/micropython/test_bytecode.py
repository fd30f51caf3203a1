"""The bundle of bytecode for stock firmware: what old compilers take, and what `mip` installs."""

import functools
import http.server
import json
import threading

import pytest

from ports.stock import bundle
from tests import house
from tests.micropython import programs

FOLDER = programs.FIRMWARE / "stock"

pytestmark = pytest.mark.micropython
needs_bundle = pytest.mark.lane_firmware


@pytest.fixture(scope="module")
def made():
    """The folder of `make firmware PORT=stock`, made of the sources as they are now."""
    if not FOLDER.exists():
        pytest.skip("no %s: make firmware PORT=stock" % FOLDER.relative_to(programs.ROOT))
    assert bundle.main(FOLDER) == 0
    return FOLDER


@pytest.fixture
def server(made):
    """The bundle by HTTP on the loopback network; its address."""
    handler = functools.partial(Quiet, directory=str(made))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield "http://127.0.0.1:%d" % httpd.server_address[1]
        httpd.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_board_gets_the_whole_portable_part_and_its_driver_and_nothing_else():
    agent = house.ROOT / "agent"
    portable = [
        str(file.relative_to(agent)) for file in house.portable_files(agent / house.PACKAGE)
    ]
    driver = house.python_files(house.ROOT / "micropython" / "anchorwatch_board")
    names = [str(file.relative_to(house.ROOT / "micropython")) for file in driver]
    assert sorted(bundle.files()) == sorted([house.PACKAGE + "/__init__.py", *portable, *names])


@needs_bundle
def test_compilers_of_1_22_and_1_24_take_every_file_of_a_board(made, tmp_path):
    wanted = bundle.files()
    for version in ("1.22", "1.24"):
        (which,) = [one for one in bundle.COMPILERS if one.startswith(version)]
        sizes, complaints = bundle.compiled(bundle.compiler(which), wanted, tmp_path)
        assert complaints == [] and sorted(sizes) == sorted(wanted)


@needs_bundle
def test_syntax_that_no_board_has_is_complained_of(made, tmp_path):
    """The floor can fail."""
    file = tmp_path / "newer.py"
    file.write_text("match 1:\n    case 1:\n        pass\n", encoding="utf-8")
    for version in bundle.COMPILERS:
        found = bundle.compiled(bundle.compiler(version), {"newer.py": file}, tmp_path / "out")
        assert found == ({}, ["newer.py: SyntaxError: invalid syntax"])


@needs_bundle
def test_figures_are_of_every_module(made):
    figures = json.loads((made / "bytecode.json").read_text(encoding="utf-8"))
    assert sorted(figures["bytes"]) == sorted(bundle.files())
    for name, size in figures["bytes"].items():
        assert (made / bundle.bytecode(name)).stat().st_size == size > 0


@needs_bundle
def test_installed_by_mip_the_bundle_plays_a_timeline_as_cpython_does(server, tmp_path):
    story = "tests/timelines/stories/first_boot.txt"
    install = "import mip\nmip.install(%r, target=%r, index='')" % (
        server + "/package.json", str(tmp_path))  # fmt: skip
    wheel = programs.wheel()
    wheel.path = ".frozen"
    assert b"Done" in wheel.output("-c", install)
    wheel.path = str(tmp_path)
    there = wheel.output("tests/timelines/replay.py", story)
    assert there == programs.cpython().output("tests/timelines/replay.py", story)
    assert not list(tmp_path.rglob("*.py"))
