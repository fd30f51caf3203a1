"""A workshop: empty, with keys, or with a first release.

Rule: the latter two are made once and copied; nothing in a workspace knows where it lies.
"""

import shutil

import pytest

from tests.vendor.workshop import G2, Workshop


class Unheard:
    """What is printed while the copies' original is made."""

    def readouterr(self):
        return "", ""


@pytest.fixture(scope="session")
def originals(tmp_path_factory):
    """A folder with `shop` and `released` in it."""
    path = tmp_path_factory.mktemp("originals")
    (path / "shop").mkdir()
    shop = Workshop(path / "shop", Unheard())
    shop.init()
    shutil.copytree(path / "shop", path / "released")
    released = Workshop(path / "released", Unheard())
    released.do("add", G2, "--state", "active")
    released.sign_all()
    released.publish()
    return path


@pytest.fixture
def empty(tmp_path, capsys):
    return Workshop(tmp_path, capsys)


@pytest.fixture
def shop(originals, empty):
    """With keys, and nothing signed."""
    shutil.copytree(originals / "shop", empty.path, dirs_exist_ok=True)
    return empty


@pytest.fixture
def released(originals, empty):
    """With DigiCert G2 active in the first release."""
    shutil.copytree(originals / "released", empty.path, dirs_exist_ok=True)
    return empty
