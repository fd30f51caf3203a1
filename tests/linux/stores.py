"""Real root stores of different years, as their packages bring them: certifi and Debian's.

Rule: packages are fetched at test time by their own clients, pinned by SHA-256 where a version
stays for good, and kept in build/stores; nothing of them is part of the project.
"""

import hashlib
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "build" / "stores"
FETCH_S = 120
CERTIFI = {
    # version: SHA-256 of its wheel
    "2022.12.7": "4ad3232f5e926d6718ec31cfc1fcadfde020920e278684144551c91769c7bc18",
    "2024.8.30": "922820b53db7a7257ffbda3f597266d435245903d80737e34f8a45ff3e3230d8",
    "2025.1.31": "ca78db4565a652026a4db2bcdf68f2fb589ea80d0be70e03929ed730746b84fe",
    "2026.10.18": "73191c47aaa79da394e8fee2dbc2ec827432cab56311122c9e47abf79e390f62",
}


def certifi(version: str) -> pathlib.Path:
    """The PEM file of one release of certifi."""
    kept = FOLDER / ("certifi-%s.pem" % version)
    if not kept.exists():
        wheel = _wheel(version)
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != CERTIFI[version]:
            raise AssertionError("certifi %s is not the wheel that was pinned" % version)
        with zipfile.ZipFile(wheel) as archive:
            kept.write_bytes(archive.read("certifi/cacert.pem"))
    return kept


def debian() -> list[pathlib.Path]:
    """One PEM file for every version of ca-certificates that this machine's archives offer."""
    if shutil.which("apt-get") is None:
        pytest.skip("no apt-get: Debian's stores cannot be fetched here")
    found = [_of_deb(version) for version in _versions()]
    if not found:
        pytest.skip("apt offers no ca-certificates: run `apt-get update`")
    return found


def _wheel(version: str) -> pathlib.Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    _run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
         "certifi==" + version)  # fmt: skip
    return FOLDER / ("certifi-%s-py3-none-any.whl" % version)


def _versions() -> list[str]:
    listed = subprocess.run(["apt-cache", "madison", "ca-certificates"], capture_output=True,
                            text=True, timeout=FETCH_S, check=False)  # fmt: skip
    rows = [line.split("|") for line in listed.stdout.splitlines()]
    return sorted({row[1].strip() for row in rows if len(row) == 3 and "Packages" in row[2]})


def _of_deb(version: str) -> pathlib.Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept, inside = FOLDER / ("debian-%s.pem" % version), FOLDER / ("debian-" + version)
    if not kept.exists():
        _run("apt-get", "download", "-q", "ca-certificates=" + version)
        _run("dpkg-deb", "-x", "ca-certificates_%s_all.deb" % version, inside.name)
        pems = sorted((inside / "usr/share/ca-certificates").rglob("*.crt"))
        kept.write_bytes(b"".join([pem.read_bytes() for pem in pems]))
    return kept


def _run(*words: str) -> None:
    done = subprocess.run(words, cwd=FOLDER, capture_output=True, timeout=FETCH_S, check=False)
    if done.returncode:
        pytest.skip("%s: %s" % (" ".join(words), done.stderr.decode()[-200:].strip()))
