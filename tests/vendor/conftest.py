"""A workshop: empty, with keys, or with a first release."""

import pytest

from tests.vendor.workshop import G2, Workshop


@pytest.fixture
def empty(tmp_path, capsys):
    return Workshop(tmp_path, capsys)


@pytest.fixture
def shop(empty):
    """With keys, and nothing signed."""
    empty.init()
    return empty


@pytest.fixture
def released(shop):
    """With DigiCert G2 active in the first release."""
    shop.do("add", G2, "--state", "active")
    shop.sign_all()
    shop.publish()
    return shop
