"""The cost of a handshake: how it is counted, and that the counting runs."""

import json
import shutil
import xml.etree.ElementTree as ET

import pytest

from hil.bench import __main__ as bench
from hil.bench import callgrind, figures, handshake, heap, page, papers, tap
from hil.bench.devices import OURS
from hil.bench.figures import NotCounted
from hil.bench.handshakepage import share
from hil.bench.handshakepicture import picture
from hil.bench.shaker import Traced
from hil.bench.sserver import SServer

HEAD = b"\x03\x03"
ANNOTATED = """
Ir
34,197,131 (100.0%)  PROGRAM TOTALS
 7,966,746 (23.30%)  ./ssl/ssl_lib.c:SSL_do_handshake [/lib/libssl.so.3]
 7,000,000 (20.47%)  ???:SSL_do_handshake_of_somebody [/lib/other.so]
"""
TRACE = """= Start
@ /lib/libcrypto.so.3:(CRYPTO_malloc+0x1)[0x1] + 0xa 0x100
@ /lib/libpython3.11.so:[0x2] + 0xb 0x1000
@ /lib/libcrypto.so.3:(CRYPTO_realloc+0x1)[0x1] < 0xa
@ /lib/libcrypto.so.3:(CRYPTO_realloc+0x1)[0x1] > 0xc 0x180
@ /lib/libcrypto.so.3:(CRYPTO_free+0x1)[0x1] - 0xdead
@ /lib/libcrypto.so.3:(CRYPTO_free+0x1)[0x1] - 0xc
@ /lib/libssl.so.3:(SSL_new+0x1)[0x1] + 0xa 0x20
= End
"""


def record(kind, body):
    return bytes([kind]) + HEAD + len(body).to_bytes(2, "big") + body


def cell(chain, fragment=0, **values):
    nothing = dict.fromkeys(handshake.COLUMNS)
    return {**nothing, "chain": chain, "client": "none", "fragment": fragment, **values}


CELLS = [
    cell("rsa", down=4000, up=300, instructions=7_000_000, heap=90_000),
    cell("rsa", 512, down=4035, up=305, instructions=7_100_000, heap=90_000),
    cell("p384", down=2400, up=300, instructions=21_000_000, heap=80_000),
    cell("p384", 512, down=2419, up=305, instructions=21_000_000, heap=None),
]


def test_weight_of_a_handshake_is_its_records_without_data_and_alerts():
    raw = record(22, b"hello") + record(20, b"\1") + record(23, b"data") + record(21, b"\1\0")
    assert tap.weight(raw) == (5 + 5) + (5 + 1)


def test_heap_peak_is_what_the_tls_library_held_at_most():
    assert heap.peak(TRACE.splitlines(keepends=True)) == 0x180


def test_missing_trace_names_what_would_write_it(tmp_path):
    with pytest.raises(NotCounted, match=r"libc_malloc_debug\.so"):
        heap.read(tmp_path / "none")


def test_instructions_are_those_of_the_whole_and_of_the_handshake_alone():
    assert callgrind.counts(ANNOTATED) == (34_197_131, 7_966_746)


def test_count_without_a_handshake_is_no_count():
    with pytest.raises(NotCounted, match="SSL_do_handshake"):
        callgrind.counts("1,000 (100.0%)  PROGRAM TOTALS\n")


def test_missing_valgrind_is_said_loudly_and_no_number_is_invented(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    reason = callgrind.missing()
    assert "apt-get install valgrind" in reason
    found = handshake.figures([cell("rsa", down=4000)], 3, {"instructions": reason})
    said = {name.partition(":")[0]: figure for name, figure in found.items()}
    for title in ("instructions", "instructions in all"):
        assert said[title][OURS] is None and reason in said[title]["how"]
    assert said["bytes down"][OURS] == 4000 and reason not in said["bytes down"]["how"]


class Blind:
    """A counter that cannot count on this machine."""

    def warm(self, *given):
        pass

    def shake(self, *given):
        raise NotCounted("no trace here")


def test_counter_that_cannot_count_is_left_out_and_said_once():
    notes = []
    means = handshake.Means(None, notes.append, {"heap": Blind()})
    assert means.counted("place") == means.counted("place") == {}
    assert notes == ["HEAP NOT COUNTED: no trace here"]
    found = handshake.figures([cell("rsa", down=4000)], 3, means.reasons)
    heap_figure = found["heap peak: rsa chain, client certificate none"]
    assert heap_figure[OURS] is None and "no trace here" in heap_figure["how"]


def test_share_is_of_the_rsa_chain_at_the_same_length():
    assert share(CELLS, CELLS[2], "down") == pytest.approx(-40)
    assert share(CELLS, CELLS[3], "heap") is None
    assert share(CELLS, CELLS[0], "down") is None


def test_both_sides_ecc_are_compared_with_both_sides_rsa():
    cells = [
        cell("rsa", client="p256", up=1200), cell("rsa", client="rsa", up=2000),
        cell("p384", client="p256", up=1200),
    ]  # fmt: skip
    assert share(cells, cells[2], "up") == 0
    assert share(cells, cells[2], "up", "rsa") == pytest.approx(-40)
    text = page.page([{**figures.document("handshake", {}, 1.0), "cells": cells}])
    row = text.partition("both ECC, against both RSA")[2].partition("</tr>")[0]
    assert "-40 %" in row


def test_picture_is_drawn_where_cells_are_empty():
    drawn = ET.fromstring(picture([*CELLS, cell("g3")]))
    texts = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"4000", "2400", "7", "21"} <= set(texts)
    assert {"35", "19"} <= set(texts), "what a fragment length adds"


def test_report_of_handshakes_has_the_picture_and_the_shares():
    found = handshake.figures(CELLS, 3, {})
    text = page.page([{**figures.document("handshake", found, 1.0), "cells": CELLS}])
    assert "<svg" in text and "2400 (-40 %)" in text and "21 (+200 %)" in text
    assert "by fragment length" in text


def test_certificates_in_a_chain_are_of_the_keys_that_its_name_says(tmp_path):
    made = papers.server(tmp_path / "s", papers.CHAINS["g3"])
    assert made.ecdsa
    assert made.chain.read_bytes() == made.leaf.read_bytes() + made.issuing.read_bytes()
    assert made.key.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def openssl():
    if not shutil.which("openssl"):
        pytest.skip("the program openssl is missing: apt-get install openssl")


@pytest.mark.tls
@pytest.mark.usefixtures("openssl")
def test_ecc_chain_takes_fewer_bytes_than_rsa_and_says_no_more_itself(tmp_path):
    assert bench.main(["handshake", "--short", "--dir", str(tmp_path)]) == 0
    cells = json.loads((tmp_path / "handshake.json").read_text())["cells"]
    rsa, ecc = ({one["chain"]: one for one in cells}[name] for name in ("rsa", "p256"))
    assert 1_500 < ecc["down"] < 0.75 * rsa["down"] < 4_000
    assert ecc["up"] == rsa["up"] < 400
    assert ET.parse(tmp_path / "handshake.svg").getroot().tag.endswith("svg")


@pytest.mark.tls
@pytest.mark.usefixtures("openssl")
def test_heap_of_a_handshake_is_seen_after_one_with_short_records(tmp_path):
    server = papers.server(tmp_path / "s", papers.CHAINS["p256"])
    client = papers.client(tmp_path / "c", papers.CLIENTS["p256"])
    standing, traced = SServer(server, tmp_path / "log"), Traced(tmp_path)
    try:
        traced.warm(standing.place, server, client, 512)
        found = traced.shake(standing.place, server, None, 0)
        assert 20_000 < found["heap"] < 1_000_000
    finally:
        traced.stop()
        standing.stop()
