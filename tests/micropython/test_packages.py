"""The ways onto a board that need no firmware of one's own: sources by `mip`, and bytecode.

Rule: nothing is fetched from anywhere but 127.0.0.1.
"""

import functools
import http.server
import importlib.util
import json
import re
import threading

import pytest

from ports.stock import bundle
from tests import house
from tests.micropython import boards, programs

FOLDER = house.ROOT / "micropython"
# Bytes of bytecode for a byte of source, of the whole as it was measured.
BYTECODE_OF_SOURCE = 0.409
STORY = "tests/timelines/stories/first_boot.txt"
# What the board runs is imported whole, and says which configuration it wants.
AGENT = """
from anchorwatch import Agent, __version__
from anchorwatch_board import config, console, crash, port, store
from anchorwatch.errors import ConfigError
try:
    config.load("nowhere.json")
except ConfigError as error:
    print(Agent.__name__, error.what, __version__)
"""

pytestmark = pytest.mark.micropython


@pytest.fixture(scope="module")
def packages():
    """micropython/packages.py, whose folder is no package on purpose."""
    spec = importlib.util.spec_from_file_location("packages", FOLDER / "packages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """The project by HTTP on the loopback network; its address."""
    handler = functools.partial(Quiet, directory=str(house.ROOT))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield "http://127.0.0.1:%d" % httpd.server_address[1]
        httpd.shutdown()
        thread.join()


def test_package_names_every_file_of_a_board_and_is_as_the_sources_are(packages):
    text = (FOLDER / "package.json").read_text(encoding="utf-8")
    assert text == packages.text(), "python3 micropython/packages.py --write"
    tree = json.loads(text)
    assert tree == packages.package()
    assert [name for name, _ in tree["urls"]] == sorted(bundle.files())
    assert all((FOLDER / source).is_file() for _, source in tree["urls"])


def test_package_has_nothing_of_linux_nor_of_the_owner(packages):
    names = [name for name, _ in packages.package()["urls"]]
    assert "anchorwatch_board/agent.py" in names and "anchorwatch/core/watch.py" in names
    assert [name for name in names if "/linux/" in name or "/vendor/" in name] == []
    assert [name for name in names if name.endswith("main.py")] == []


def test_words_that_the_program_does_not_know_are_refused(packages, capsys):
    assert packages.main(["--read"]) == 2
    assert "--read" in capsys.readouterr().err


def started(wheel, folder):
    """The agent and a timeline, imported from a folder and nothing else."""
    wheel.path = "%s:.frozen" % folder
    said = wheel.output("-c", AGENT).decode()
    assert said == "Agent configuration cannot be read %s\n" % bundle.version()
    story = wheel.output("tests/timelines/replay.py", STORY)
    assert story == programs.cpython().output("tests/timelines/replay.py", STORY)


def test_installed_by_mip_the_sources_start_and_play_a_timeline_as_cpython_does(server, tmp_path):
    wheel = programs.wheel()
    wheel.path = ".frozen"
    install = "import mip\nmip.install(%r, target=%r, index='')" % (
        server + "/micropython/package.json", str(tmp_path))  # fmt: skip
    assert b"Done" in wheel.output("-c", install)
    assert len(list(tmp_path.rglob("*.py"))) == len(bundle.files())
    started(wheel, tmp_path)


@pytest.fixture(scope="module")
def page():
    return (FOLDER / "README.md").read_text(encoding="utf-8")


def test_configuration_on_the_page_is_one_that_a_board_takes(page, tmp_path):
    example = page.partition("```json\n")[2].partition("```")[0]
    (tmp_path / "config.json").write_text(example, encoding="utf-8")
    code = "from anchorwatch_board.config import load\nprint(load(%r).device.registration_id)"
    said = boards.said(code % str(tmp_path / "config.json"))
    assert said == json.loads(example)["device"]["registration_id"] + "\n"


def test_page_names_every_word_of_the_console(page):
    words = boards.said("from anchorwatch_board.orders import WORDS\nprint(*WORDS)").split()
    section = page.partition("**Console.**")[2].partition("\n\n")[0]
    assert len(words) > 10
    assert [
        word for word in [*words, "status", "send", "stop"] if "`%s`" % word not in section
    ] == []


def test_page_says_how_large_the_bytecode_is(page):
    """Within a tenth: it is measured anew by `make firmware PORT=stock`."""
    stated = re.search(r"\| bytecode, all modules \| ([\d ]+) bytes in (\d+) modules", page)
    source = sum(path.stat().st_size for path in bundle.files().values())
    assert 0.9 < int(stated[1].replace(" ", "")) / source / BYTECODE_OF_SOURCE < 1.1
    assert abs(int(stated[2]) - len(bundle.files())) <= 9


@pytest.mark.lane_firmware
def test_bytecode_for_stock_firmware_starts_the_agent(tmp_path):
    folder = programs.FIRMWARE / "stock"
    if not folder.exists():
        pytest.skip("no %s: make firmware PORT=stock" % folder.relative_to(programs.ROOT))
    assert bundle.main(tmp_path) == 0
    header = (tmp_path / "anchorwatch" / "loop.mpy").read_bytes()[:4]
    # M, version 6, no native code, integers of 31 bits: every firmware since 1.24 loads it.
    assert header == b"M\x06\x00\x1f"
    started(programs.wheel(), tmp_path)
