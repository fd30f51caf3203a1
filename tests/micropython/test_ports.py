"""The folders of ports/: facts that are alike, hooks that run, pages that say what is there."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

from ports import catalogue
from ports.stock import bundle
from tests import house
from tests.micropython import boards
from tests.micropython.programs import FIRMWARE

PORTS = house.ROOT / "ports"
BOARDS = sorted(catalogue.boards())
HOOKS = sorted(PORTS.glob("*/hooks.py"))
SOLD = ("esp32-s3", "rp2-pico-w", "stm32-nucleo-h7")
KINDS = {
    "name": (str,), "build": (str,), "epoch_year": (int,), "network": (str,),
    "heap_kib": (int, type(None)), "disk_kib": (int, type(None)), "file_system": (str,),
    "second_session": (bool,), "handshake_kib": (int,), "tls_in_bytes": (int,),
    "tls_versions": (tuple,), "client_keys": (tuple,), "watchdog_s": (int,),
    "keeps_time_without_power": (bool,),
}  # fmt: skip
LONGEST_HOOKS = 60
ON_BOARDS = boards.names("board_ports")

pytestmark = pytest.mark.micropython


def port_modules():
    """(facts that the driver reads, hooks that it calls), by its port.py."""
    tree = house.tree_of(house.ROOT / "micropython" / "anchorwatch_board" / "port.py")
    known = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            known[node.targets[0].id] = node.value
    return set(ast.literal_eval(known["FACTS"])), set(ast.literal_eval(known["_HOOKS"]))


@pytest.mark.parametrize("name", BOARDS)
def test_board_states_the_same_facts_in_the_same_order_as_every_other(name):
    known = catalogue.boards()[name]
    assert list(known) == list(KINDS)
    for fact, value in known.items():
        assert isinstance(value, KINDS[fact]), fact
    assert known["tls_versions"] == ("1.2",)
    assert known["epoch_year"] in (1970, 2000) and 512 <= known["tls_in_bytes"] <= 16384


def test_boards_that_are_sold_are_there():
    assert set(SOLD) <= set(BOARDS)


def test_facts_that_the_driver_reads_are_facts_of_every_board():
    facts, hooks = port_modules()
    assert facts and facts <= set(KINDS)
    assert {"feed", "restart", "bring_up_network", "tls_free", "bitten"} <= hooks


@pytest.mark.parametrize("name", BOARDS)
def test_fact_that_nobody_measured_says_why_it_is_none(name):
    lines = (PORTS / name / "board.py").read_text(encoding="utf-8").splitlines()
    empty = [line for line in lines if re.search(r"= None\b", line)]
    assert [line for line in empty if "#" not in line] == []
    assert lines[0].startswith("# ") and any(line.startswith("# Connect: ") for line in lines)


@pytest.mark.parametrize("source", ["if True:\n    a = 1\n", "a = b = f()\n", "import os\n"])
def test_board_that_is_more_than_facts_is_refused(tmp_path, source):
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "board.py").write_text(source, encoding="utf-8")
    with pytest.raises(ValueError):
        catalogue.boards(tmp_path)


@pytest.mark.parametrize("file", HOOKS, ids=[file.parent.name for file in HOOKS])
def test_hooks_are_those_that_the_driver_calls_and_few(file):
    tree = house.tree_of(file)
    given = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    for node in tree.body:
        if isinstance(node, ast.Assign):
            given += [name.id for name in ast.walk(node.targets[0]) if isinstance(name, ast.Name)]
    public = {name for name in given if name[0] != "_"}
    assert public and public <= port_modules()[1]
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_HOOKS


@pytest.mark.parametrize("name", BOARDS)
def test_board_with_a_watchdog_has_the_hook_that_feeds_it(name):
    text = ""
    if (PORTS / name / "hooks.py").exists():
        text = (PORTS / name / "hooks.py").read_text(encoding="utf-8")
    feeds = "def feed(" in text or "\nfeed = " in text
    assert feeds == bool(catalogue.boards()[name]["watchdog_s"])


@pytest.mark.parametrize("name", SOLD)
def test_page_of_a_board_that_is_sold_tells_what_a_stranger_needs(name):
    page = (PORTS / name / "README.md").read_text(encoding="utf-8")
    headings = [line[3:] for line in page.splitlines() if line.startswith("## ")]
    assert headings == ["Wiring to a rig", "Firmware", "Memory and flash", "Network", "TLS",
                        "Clock, watchdog", "Sources"]  # fmt: skip
    assert "Not run on the real part here" in page.splitlines()[2]
    for path in re.findall(r"`((?:\.\./)+[\w./-]+)`", page):
        assert (PORTS / name / path).exists(), path


def test_every_folder_has_a_page_whose_first_line_says_what_it_is():
    folders = sorted({path.parent for path in PORTS.glob("*/*") if "__pycache__" not in path.name})
    for folder in folders:
        if not folder.name.startswith("__"):
            first = (folder / "README.md").read_text(encoding="utf-8").splitlines()[0]
            assert first.startswith("# ") and catalogue.title(folder / "README.md")


def test_page_of_the_ports_is_as_their_files_say():
    text = catalogue.PAGE.read_text(encoding="utf-8")
    assert catalogue.page(text) == text, "python3 ports/catalogue.py --write"


def test_page_defines_every_fact_and_every_hook():
    text = catalogue.PAGE.read_text(encoding="utf-8")
    assert [name for name in KINDS if "| `%s` |" % name not in text] == []
    assert [name for name in port_modules()[1] if "`%s(" % name not in text] == []


def test_page_that_is_out_of_date_is_seen_and_mended(tmp_path):
    for name, heap in (("a", "None"), ("b", "64")):
        (tmp_path / name).mkdir()
        facts = "\n".join(["%s = %s" % (fact, {"heap_kib": heap}.get(fact, "0")) for fact in KINDS])
        (tmp_path / name / "board.py").write_text(facts + "\n", encoding="utf-8")
        (tmp_path / name / "README.md").write_text("# %s: it\n" % name, encoding="utf-8")
    old = "x\n<!-- ports -->\nstale\n<!-- end of ports -->\n"
    old += "<!-- boards -->\n<!-- end of boards -->\ny"
    new = catalogue.page(old, tmp_path)
    assert "stale" not in new and "| [b](b/README.md) | it | – |" in new
    assert "| a | 0 | 0 | – |" in new and "| b | 0 | 0 | 64 |" in new
    assert catalogue.page(new, tmp_path) == new
    with pytest.raises(ValueError, match="boards"):
        catalogue.page(old.replace("<!-- boards -->", ""), tmp_path)


def test_catalogue_prints_its_tables_and_refuses_other_words():
    program = pathlib.Path(catalogue.__file__)
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and "| rp2-pico-w | Raspberry Pi Pico W |" in done.stdout
    done = subprocess.run([sys.executable, program, "--wrote"], capture_output=True, text=True,
                          timeout=30)  # fmt: skip
    assert done.returncode == 2 and "--wrote" in done.stderr


@pytest.mark.lane_firmware
@pytest.mark.parametrize("version", bundle.COMPILERS)
def test_facts_and_hooks_pass_the_compilers_of_old_firmware(tmp_path, version):
    if not (FIRMWARE / "stock").exists():
        pytest.skip("no build/firmware/stock: make firmware PORT=stock")
    files = {"%s/%s" % (file.parent.name, file.name): file
             for file in [*PORTS.glob("*/board.py"), *HOOKS]}  # fmt: skip
    sizes, complaints = bundle.compiled(bundle.compiler(version), files, tmp_path)
    assert complaints == [] and sorted(sizes) == sorted(files)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    return boards.outcomes("board_ports", tmp_path_factory.mktemp("board_ports"))


@pytest.mark.parametrize("name", ON_BOARDS)
def test_on_a_board(outcomes, name):
    assert outcomes[name] == "ok", outcomes[name]
