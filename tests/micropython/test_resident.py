"""The agent in the flash: what may lie there, and what the tool that puts it there refuses."""

import importlib
from pathlib import Path

import pytest

from hil.bench.disk import ROOT
from tests.micropython import guest

TOOL = ROOT / "micropython" / "resident"
# Modules that firmware of boards has, of those that the agent asks for.
FIRMWARE = {"binascii", "collections", "errno", "gc", "hashlib", "io", "json", "machine", "network",
            "os", "select", "socket", "struct", "sys", "time", "tls"}  # fmt: skip


class Words:
    """The part of mpy-tool.py that writes words; no more of it is needed for a refusal."""

    class CompiledModule:
        @staticmethod
        def freeze_constant_obj(_self, _name, value):
            return f"MP_ROM_QSTR({value})"


@pytest.fixture
def tool(monkeypatch):
    """freeze.py, and with it snapshot.py and emit.py, which are not of a package."""
    monkeypatch.syspath_prepend(str(TOOL))
    return importlib.import_module("freeze")


@pytest.fixture
def refusal(tool, tmp_path):
    """What is said of a module of this text, or of a value at its top level."""

    def said(text: str) -> str:
        (tmp_path / "ours.py").write_text(text)
        snapshot = tool.Snapshot({"ours": tmp_path}, FIRMWARE)
        emitter = tool.emit.Emitter(Words, {}, {name: name for name in FIRMWARE})
        with pytest.raises(tool.Refused) as refused:
            values = tool.emit.own(snapshot.load("ours"))
            for name, value in values.items():
                emitter.value(value, "ours." + name)
        return str(refused.value)

    return said


def modules(tool) -> list[str]:
    """What the manifest freezes."""
    packages = ["anchorwatch", "anchorwatch_board"]
    packages += ["anchorwatch." + part for part in ("core", "performers", "pki", "wire")]
    found = []
    for package in packages:
        folder = Path(tool.ROOTS[package.split(".")[0]], *package.split("."))
        for file in folder.glob("*.py"):
            found.append(f"{package}.{file.stem}".removesuffix(".__init__"))
    return sorted(found)


def test_every_module_of_a_board_computes_nothing_of_its_board_when_it_is_imported(tool):
    snapshot = tool.Snapshot(tool.ROOTS, FIRMWARE)
    for name in modules(tool):
        snapshot.load(name)
    assert len(snapshot.modules) > 190


def test_a_module_that_this_firmware_cannot_import_is_left_out_by_name(tool):
    snapshot = tool.Snapshot(tool.ROOTS, FIRMWARE - {"network"})
    with pytest.raises(tool.Absent, match="no module 'network'"):
        snapshot.load("anchorwatch_board.wifi")
    snapshot.load("anchorwatch_board.tls")


def test_a_firmware_that_cannot_run_the_agent_ends_the_build_by_name(tool):
    resident = tool.Resident(None, {tool.AGENT: None}, {})
    with pytest.raises(tool.Refused, match="cannot run here: this firmware has no module 'select'"):
        resident._load(tool.Snapshot(tool.ROOTS, FIRMWARE - {"select"}))


def test_a_top_level_that_asks_the_firmware_is_refused_with_what_to_do(refusal):
    said = refusal("import time\n\nBEGAN = time.time()\n")
    assert said.startswith("ours: time.time is asked for at the top level of a module")
    assert said.endswith("ask inside a function")


@pytest.mark.parametrize("text", ["WAITING = []\n", "SEEN = set()\n", "BUFFER = bytearray(9)\n",
                                  "class A:\n    pass\n\n\nONE = A()\n",
                                  "class A:\n    waiting = []\n"])  # fmt: skip
def test_what_a_program_could_change_is_refused_with_what_to_do(refusal, text):
    said = refusal(text)
    assert "which a program could change" in said
    assert said.startswith("ours.")


def test_a_function_of_the_firmware_is_refused_and_its_module_is_not(refusal):
    assert "import the module" in refusal("from binascii import hexlify\n")


def test_a_function_that_another_has_made_is_refused(refusal):
    said = refusal("def adds(n):\n    return lambda x: x + n\n\n\nONE = adds(1)\n")
    assert "is made by another function" in said


def test_a_build_whose_modules_are_not_collected_yet_ends_with_what_to_do(tool, tmp_path):
    with pytest.raises(tool.Refused, match="have it made before"):
        tool.symbols(tmp_path / "moduledefs.h")


def test_another_mpy_tool_than_the_known_one_ends_the_build(tool, tmp_path):
    file = tmp_path / "mpy-tool.py"
    file.write_text("class config:\n    MPY_VERSION = 7\n")
    with pytest.raises(SystemExit, match="is not that of MicroPython 1.25"):
        tool.loaded(str(file))


# On the board.


@pytest.mark.micropython
@pytest.mark.lane_firmware
def test_importing_the_agent_takes_almost_nothing_of_the_heap(tmp_path):
    main = """
import gc
gc.collect()
before = gc.mem_free()
from anchorwatch_board import agent, console
import anchorwatch.core.readiness, anchorwatch.pki.bundle, anchorwatch.pki.csr
gc.collect()
print(before - gc.mem_free())
"""
    status, text = guest.run(tmp_path, main)
    assert (status, int(text) < 1024) == (0, True), text


@pytest.mark.micropython
@pytest.mark.lane_firmware
def test_what_lies_in_the_flash_behaves_as_what_a_program_makes(tmp_path):
    main = """
from anchorwatch import errors
from anchorwatch.core import actions, faults, record
from anchorwatch.core.clock import Clock
from anchorwatch_board import patience

def changes(change):
    try:
        change()
    except (AttributeError, TypeError):
        return "refused"

one, two = actions.Save("a", {"b": 1}), actions.Save("a", {"b": 1})
class Mine(actions.Save):
    def __repr__(self):
        return "mine, " + super().__repr__()
error = errors.ConfigError("what", "value", "do this")
waits = patience.Patience(5, lambda: 7)
print(one == two, one is two, one != two, len({one: 1, two: 2}), one)
print(Mine("a", 1), isinstance(one, record.Record), issubclass(actions.Save, record.Record))
print(isinstance(error, Exception), error.what, str(error)[:4])
print(type(waits.wait(None, 1)), waits.until_ms, Clock.__name__, actions.__name__)
codes = faults.CONNACK
print("network" in faults.SCHEDULES, sorted(codes)[0], dict(codes) == codes)
print(changes(lambda: faults.CONNACK.update({9: 1})), changes(lambda: setattr(actions, "a", 1)),
      changes(lambda: setattr(actions.Save, "a", 1)))
"""
    status, text = guest.run(tmp_path, main)
    assert status == 0, text
    assert text.splitlines() == [
        "True False False 1 Save(name='a', body={'b': 1})",
        "mine, Mine(name='a', body=1) True True",
        "True what what",
        "<class 'generator'> 12 Clock anchorwatch.core.actions",
        "True 1 True",
        "refused refused refused",
    ]
