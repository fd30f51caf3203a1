"""A mirror over HTTPS beside a live session: looked at when trust changes, told, never needed."""

import ssl

import pytest

from tests.linux import authority, looking
from tests.linux.looking import SELDOM_S, closed, gapped, online, undisturbed
from tests.linux.mirrors import Server

pytestmark = [pytest.mark.tls, pytest.mark.once]
NAME = "mirror.contoso.example"
URL = f"https://{NAME}/bundle"
REVERIFY = {"interval_s": SELDOM_S}
cloud = looking.running


@pytest.fixture(scope="module")
def root():
    return authority.root("Private Root")


@pytest.fixture
def mirror(cloud, root, tmp_path):
    """An honest mirror without files, whose root no layer has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain = root.issue("Private CA", ca=True).issue("mirror", names=[NAME])
    context.load_cert_chain(*chain.write(tmp_path))
    with Server(lambda asked: asked.answer(404), context) as server:
        cloud.post("/resolve", {NAME + ":443": [server.place()]})
        yield server


def added(board, name, pem):
    board.put(name + ".pem", pem)
    board.ask("roots", "add", str(board.folder / (name + ".pem")))


def test_gap_of_a_mirror_is_told_and_closed_by_its_root_while_the_session_goes_on(
        cloud, mirror, root):
    with online(cloud, "watching", reverify=REVERIFY, trust={"mirrors": [URL]}) as board:
        since = cloud.mark()
        added(board, "g3", cloud.root("g3"))
        assert gapped(cloud, board, "mirror")["verdict"] == "unknown-issuer"
        assert board.status()["fault"] is None
        added(board, "private", root.pem)
        closed(cloud, board, "mirror")
        seen = board.status()["endpoints"]["mirror"]
        assert (seen["host"], seen["transport"], seen["version"]) == (NAME, "https", "TLSv1.2")
        assert seen["anchor"] == root.sha256 and seen["layer"] == "site"
        assert undisturbed(cloud, board, since)
        assert [asked for asked in mirror.asked if asked.name != "2.root.json"] == []


def test_mirror_is_looked_at_by_its_own_profile(cloud, mirror):
    settings = {"trust": {"mirrors": [URL]}, "tls.mirror": {"suites": "rsa"}}
    with online(cloud, "picky", reverify=REVERIFY, **settings) as board:
        since = cloud.mark()
        added(board, "g3", cloud.root("g3"))
        assert gapped(cloud, board, "mirror")["verdict"] == "no-common-suite"
        fault = board.status()["fault"]
        assert (fault["endpoint"], fault["class"]) == ("mirror", "policy")
        assert undisturbed(cloud, board, since)
