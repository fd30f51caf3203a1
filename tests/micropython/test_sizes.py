"""The search for the smallest heap, and the file of figures. Nothing is measured here."""

import json

import pytest

from hil.bench import leastheap, sizes
from hil.bench.leastheap import STEP_KIB


@pytest.mark.parametrize("enough", range(101, 197, 7))
def test_smallest_heap_is_found_to_one_step(enough):
    found = leastheap.least(lambda kib: kib >= enough, 100, 196)
    assert found - STEP_KIB < enough <= found


def test_heap_that_is_never_large_enough_has_no_figure():
    tried = []
    assert leastheap.least(tried.append, 100, 196) is None
    assert tried == [196]


def test_target_that_is_not_measured_now_keeps_its_figures(tmp_path):
    file = tmp_path / "build" / "sizes.json"
    sizes.write(file, {"one": {"text": 1}, "other": {"text": 2}})
    sizes.write(file, {"other": {"text": 3}})
    assert json.loads(file.read_text()) == {"one": {"text": 1}, "other": {"text": 3}}


def test_unknown_target_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        sizes.main(["esp32"])
    said = capsys.readouterr().err
    assert "no target 'esp32': there are unix-small-heap" in said and "qemu-mps2" in said
