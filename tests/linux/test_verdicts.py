"""The closed list of what a dial fails by: every word of the driver is on it, and it is told."""

import ast
import pathlib

import pytest

from anchorwatch.core.remedies import CLASSES, remedy
from anchorwatch.linux import proxy, tcp, verdicts
from anchorwatch.pki import judge
from tests import house

PACKAGE = house.ROOT / "agent" / "anchorwatch"
# What a dial goes through; other users of LinkError, such as the mirror, have words of their own.
OWN = ("dial", "tls", "verdicts", "tcp", "proxy", "framed", "route", "resolve", "patience",
       "waiting", "shortrecords", "curves", "peek", "ownroots")  # fmt: skip
ON_THE_WAY = ["linux/" + name for name in OWN] + ["performers/resolve", "performers/upgrade"]
README = house.ROOT / "agent" / "README.md"


def words_of(file: pathlib.Path) -> set[str]:
    """The verdicts that a file names in LinkError(fault, verdict)."""
    found = set()
    for node in ast.walk(house.tree_of(file)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "LinkError":
            second = node.args[1]
            if isinstance(second, ast.Constant):
                found.add(second.value)
    return found


def test_words_of_a_file_are_found(tmp_path):
    file = tmp_path / "a.py"
    file.write_text('raise LinkError("network", "lost", x)\nLinkError(a, b)\n', encoding="utf-8")
    assert words_of(file) == {"lost"}


@pytest.mark.parametrize("name", ON_THE_WAY)
def test_every_word_of_the_way_is_on_the_closed_list(name):
    assert words_of(PACKAGE / (name + ".py")) - set(verdicts.WORDS) == set()


def test_every_word_of_a_table_is_on_the_closed_list():
    said = set(verdicts.CHAIN.values()) | set(verdicts.ALERTS.values())
    said |= set(tcp.NETWORK.values()) | {tcp.OTHER_NETWORK}
    said |= {word for _, word in proxy.ANSWERS.values()} | set(judge.VERDICTS) - {"ok"}
    assert said - set(verdicts.WORDS) == set()


@pytest.mark.parametrize("fault", CLASSES)
def test_every_word_has_something_to_do_in_every_class(fault):
    assert all(remedy(fault, word) for word in verdicts.WORDS)


def test_page_tells_every_word_as_the_list_does():
    rows = ["| `%s` | %s |" % (word, verdicts.WORDS[word]) for word in sorted(verdicts.WORDS)]
    text = README.read_text(encoding="utf-8")
    told = text.partition("<!-- verdicts -->\n")[2].partition("<!-- /verdicts -->")[0]
    assert told.strip().splitlines()[2:] == rows


@pytest.mark.parametrize("number, version, fault, word", [
    (40, 0x0303, "policy", "no-common-suite"), (71, 0x0303, "policy", "no-common-suite"),
    (40, 0x0301, "policy", "protocol-version"), (40, 0x0302, "policy", "protocol-version"),
    (70, 0x0301, "policy", "protocol-version"), (112, 0x0303, "policy", "name-not-served"),
    (80, 0x0303, "network", "alert-80"), (80, 0x0301, "network", "alert-80"),
])
def test_alert_instead_of_a_flight_has_one_word(number, version, fault, word):
    found = verdicts.of_alert(number, version)
    assert (found.fault, found.verdict) == (fault, word)


@pytest.mark.parametrize("reason, fault, word", [
    ("BAD_SIGNATURE", "trust", "key-not-proven"),
    ("TLSV1_ALERT_UNKNOWN_CA", "identity", "certificate-refused"),
    ("SSLV3_ALERT_HANDSHAKE_FAILURE", "policy", "no-common-suite"),
    ("TLSV1_ALERT_INTERNAL_ERROR", "network", "alert-80"),
    ("WRONG_CIPHER_RETURNED", "network", "handshake-broken"), ("", "network", "handshake-broken"),
])
def test_what_the_library_gives_up_for_has_one_word(reason, fault, word):
    found = verdicts.of_library(reason)
    assert (found.fault, found.verdict) == (fault, word)
