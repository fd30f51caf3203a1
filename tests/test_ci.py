"""The scripts under .ci, tried with a `make` and a `python` that say what we want."""

import os
import pathlib
import shutil
import subprocess

import pytest

CI = pathlib.Path(__file__).parents[1] / ".ci"
PASSED = "===== 12 passed, 1 skipped in 3.21s ====="


def run_with_make(folder, says, status=0):
    """.ci/run in `folder`, where `make STEP` prints says[STEP] and ends with `status`."""
    shutil.copytree(CI, folder / ".ci")
    programs = folder / "programs"
    programs.mkdir()
    cases = "".join(["%s) echo '%s';;\n" % pair for pair in says.items()])
    make = programs / "make"
    make.write_text("#!/bin/sh\ncase $1 in\n%sesac\nexit %d\n" % (cases, status), encoding="utf-8")
    make.chmod(0o755)
    environment = {**os.environ, "PATH": "%s:%s" % (programs, os.environ["PATH"])}
    return subprocess.run(
        [folder / ".ci" / "run"], env=environment, capture_output=True, text=True, timeout=30
    )


def test_closing_lines_of_pytest_are_the_last_lines(tmp_path):
    done = run_with_make(tmp_path, {"test": PASSED})
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == PASSED


def test_step_that_fails_fails_the_run_and_hides_no_other(tmp_path):
    done = run_with_make(tmp_path, {"test": PASSED, "ci-lanes": "lanes came too"}, status=1)
    assert done.returncode == 1
    assert "lanes came too" in done.stdout
    assert "failed: lint test ci-lanes" in done.stderr


@pytest.mark.parametrize(
    "line", ["", "===== no tests ran in 0.01s =====", "===== 3 skipped in 0.10s ====="]
)
def test_run_without_a_test_is_a_failure(tmp_path, line):
    done = run_with_make(tmp_path, {"test": line})
    assert done.returncode == 1
    assert "no test ran" in done.stderr


@pytest.mark.parametrize(
    "answer, words",
    [
        (None, "no python-of-old here; install Python 3.10 or newer"),
        ("case $1 in -V) echo Python 3.9.2;; *) exit 1;; esac", "is Python 3.9.2, 3.10 or newer"),
    ],
)
def test_python_that_does_not_fit_is_refused_with_a_way_out(tmp_path, answer, words):
    if answer:
        python = tmp_path / "python-of-old"
        python.write_text("#!/bin/sh\n%s\n" % answer, encoding="utf-8")
        python.chmod(0o755)
    environment = {**os.environ, "PATH": "%s:%s" % (tmp_path, os.environ["PATH"])}
    command = [CI / "venv", "python-of-old", tmp_path / "venv"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert words in done.stderr and "make PYTHON=" in done.stderr
    assert not (tmp_path / "venv").exists()
