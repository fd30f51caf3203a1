"""One emulated cloud for the lane, on its own loopback network and the real port 8883."""

import pytest

from hil.cloud.remote import RemoteCloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloud")
    with RemoteCloud(folder, "--factory", "g2,g3") as running:
        yield running


@pytest.fixture
def names(cloud) -> dict[str, str]:
    """{"host": "address"} of the cloud's services."""
    return {cloud.ready[s]["host"]: cloud.ready[s]["address"] for s in ("hub", "hub2", "dps")}


@pytest.fixture
def roots(cloud) -> str:
    """The roots of the chains that are presented, as PEM text."""
    return "".join((cloud.folder / "roots" / f"{r}.pem").read_text() for r in ("g2", "g3"))
