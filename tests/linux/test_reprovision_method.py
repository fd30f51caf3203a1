"""The direct method `reprovision` on real sockets: an answer first, then another hub.

Rule: what is asserted is seen in the journal, or is what the caller of the method was told.
"""

import pytest

from hil.bench.board import Process
from hil.bench.cloud import Cloud
from tests.linux.test_end_to_end import SETTINGS, Load, delivered

pytestmark = [pytest.mark.tls, pytest.mark.once, pytest.mark.lane_cpython]
ENROLLMENTS = {"symmetric-key": "group-key", "x509-group": "group-x509"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(params=ENROLLMENTS)
def board(cloud, request):
    """A device of the cloud's own, online; ended after."""
    made = Process(cloud.folder / request.param, cloud.ready["kinds"][request.param])
    made.configure({**SETTINGS, "cloud": {"allow": ["reprovision"]}})
    made.kind = request.param
    made.start()
    made.reach("online", 60)
    yield made
    made.cut()


def row_of(cloud, board, what, since, service):
    """The first row of this kind at this hub."""
    wanted = (what, service, board.name)
    return cloud.see("%s at %s" % (what, service), lambda row: (
        row["what"], row["service"], row["device"]) == wanted, since)  # fmt: skip


def test_method_is_answered_before_the_device_goes_to_another_hub_and_no_message_is_lost(
    cloud, board
):
    since = cloud.mark()
    cloud.post("/enrollments/" + ENROLLMENTS[board.kind], {"hub": "hub2"})
    with Load(board) as load:
        answer = cloud.post("/devices/%s/method" % board.name, {"name": "reprovision"})
        assert answer == {"status": 200, "payload": {"registering": "beside the session"}}
        arrived = row_of(cloud, board, "connected", since, "hub2")
    replied = row_of(cloud, board, "method reply", since, "hub")
    left = row_of(cloud, board, "disconnected", since, "hub")
    assert replied["n"] < min(left["n"], arrived["n"])
    assert load.mids and delivered(cloud, board, load.mids)
    board.reach("online")
    assert board.status()["endpoints"]["hub"]["host"] == cloud.ready["hub2"]["host"]
