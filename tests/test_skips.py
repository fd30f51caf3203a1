"""The policy on skips, tried on small test files in a pytest of their own."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent


def run(folder, body, ci):
    """(exit status, output) of a pytest in `folder` with our conftest and one test file."""
    shutil.copy(HERE / "conftest.py", folder / "conftest.py")
    (folder / "test_it.py").write_text("import pytest\n" + body, encoding="utf-8")
    environment = {**os.environ, "CI": "true" if ci else ""}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    done = subprocess.run(
        command + ["-c", os.devnull, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout


IN_A_TEST = "def test_other():\n    pass\n\n\ndef test_it():\n    pytest.skip(%r)\n"
WHOLE_FILE = "pytest.skip(%r, allow_module_level=True)\n"


@pytest.mark.parametrize("body", [IN_A_TEST, WHOLE_FILE], ids=["one test", "whole file"])
def test_lane_that_cannot_run_says_why_and_fails_only_in_ci(tmp_path, body):
    body = body % "no mosquitto_pub here"
    status, output = run(tmp_path, body, ci=False)
    assert status in (0, 5) and "DID NOT RUN" in output and "1 x no mosquitto_pub here" in output
    status, output = run(tmp_path, body, ci=True)
    assert status in (1, 2) and "CI=true allows no skip for this: no mosquitto_pub here" in output


@pytest.mark.parametrize(
    "reason", ["hardware: no relay on the bench", "../shared/data is not beside this clone"]
)
def test_missing_hardware_and_data_are_excused_in_ci_and_still_said(tmp_path, reason):
    status, output = run(tmp_path, IN_A_TEST % reason, ci=True)
    assert status == 0 and "1 x " + reason in output


def test_expected_failure_is_no_skip(tmp_path):
    body = "@pytest.mark.xfail\ndef test_it():\n    raise ValueError\n"
    status, output = run(tmp_path, body, ci=True)
    assert status == 0 and "DID NOT RUN" not in output
