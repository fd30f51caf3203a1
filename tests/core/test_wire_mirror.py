"""The files of a bundle that came in a message, in the two forms that a message may have."""

import base64

import pytest

from anchorwatch.errors import MalformedMessage
from anchorwatch.wire import mirror

DER = base64.b64encode(b"\x30\x00").decode()
FILES = {"timestamp.json": b"{}", "a.b.der": b"\x30\x00"}


@pytest.mark.parametrize("given", [
    {"timestamp.json": "{}", "a.b.der": DER},
    [{"name": "timestamp.json", "text": "{}"}, {"name": "a.b.der", "text": DER}],
])  # fmt: skip
def test_table_and_list_say_the_same(given):
    assert mirror.inline(given) == FILES


@pytest.mark.parametrize("given, reason", [
    (None, "files are no table of names"),
    ({}, "files are no table of names"),
    ([], "files are no table of names"),
    ("timestamp.json", "files are no table of names"),
    (["timestamp.json"], "file of a bundle without a name"),
    ([{"text": "{}"}], "file of a bundle without a name"),
    ([{"name": 5, "text": "{}"}], "file of a bundle without a name"),
    ([{"name": "a", "text": "1"}, {"name": "a", "text": "2"}], "two files of a bundle"),
    ([{"name": "a"}], "not a file of a bundle"),
    ([{"name": "../a", "text": ""}], "not a file of a bundle"),
    ({"a": 5}, "not a file of a bundle"),
    ({".hidden": ""}, "not a file of a bundle"),
    ({"": ""}, "not a file of a bundle"),
    ([{"name": "%d.json" % n, "text": ""} for n in range(81)], "files are no table of names"),
])  # fmt: skip
def test_anything_else_is_refused_with_its_reason(given, reason):
    with pytest.raises(MalformedMessage) as raised:
        mirror.inline(given)
    assert raised.value.reason.startswith(reason)


def test_certificate_that_is_no_base64_is_refused():
    with pytest.raises(MalformedMessage):
        mirror.inline({"a.der": "no base64"})
