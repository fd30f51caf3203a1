"""MicroPython's sources: what is taken from a cache, what is refused, what is said without apt."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from ports import sources

SCRIPT = pathlib.Path(sources.__file__)


@pytest.fixture
def away(tmp_path):
    """Runs a copy of the script in a project of its own, where no apt can be found."""
    script = tmp_path / "project" / "ports" / "sources.py"
    script.parent.mkdir(parents=True)
    shutil.copy(SCRIPT, script)

    def away(cache):
        environment = {**os.environ, "PATH": str(tmp_path), "ANCHORWATCH_CACHE": str(cache)}
        return subprocess.run(
            [sys.executable, str(script)], env=environment, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip

    return away


def test_without_apt_and_without_a_cache_it_is_said_what_to_put_where(away, tmp_path):
    done = away(tmp_path / "cache")
    assert done.returncode == 3 and done.stdout == ""
    for name, pin in sources.PINS["micropython"]:
        assert name in done.stderr and pin in done.stderr
    assert "there is no apt-get here" in done.stderr
    assert str(tmp_path / "cache") in done.stderr and "ANCHORWATCH_CACHE" in done.stderr


def test_file_of_the_right_name_with_other_content_is_not_taken(away, tmp_path):
    for pins in sources.PINS.values():
        for name, _ in pins:
            (tmp_path / name).write_bytes(b"something else")
    done = away(tmp_path)
    assert done.returncode == 3
    assert not (tmp_path / "project" / "build" / "micropython" / "src").exists()


@pytest.mark.lane_firmware
def test_full_cache_is_unpacked_once_and_needs_no_network(away, tmp_path):
    if not sources.CACHE.is_dir():
        pytest.skip("no %s: make firmware" % sources.CACHE)
    done = away(sources.CACHE)
    nest = tmp_path / "project" / "build" / "micropython"
    assert done.returncode == 0 and done.stdout == "%s\n" % (nest / "src")
    assert (nest / "src" / "lib" / "mbedtls" / "library" / "ssl_tls.c").is_file()
    assert (nest / "src" / "lib" / "lwip" / "src" / "core" / "tcp.c").is_file()
    kept = nest / "src" / "ours"
    kept.touch()
    assert away(sources.CACHE).returncode == 0 and kept.exists()
