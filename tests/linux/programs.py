"""Debian's programs for the tests that need one: installed as root, else the skip says how."""

import functools
import os
import shutil
import subprocess

import pytest


@functools.cache
def _missing(program, package):
    """Why a program is not here; "" when it is."""
    if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
        return ""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "Debian's package %s is missing: apt-get install %s, as root" % (package, package)
    command = ["apt-get", "install", "--yes", "--no-install-recommends", package]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=300, check=False)
    return "apt-get cannot install %s" % package if done.returncode else ""


def need(program, package):
    """The path of a program, or a skip."""
    missing = _missing(program, package)
    if missing:
        pytest.skip(missing)
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
