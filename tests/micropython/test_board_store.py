"""What a board keeps, tried where it will be kept: on MicroPython."""

import pytest

from tests.micropython import boards

MODULES = (
    "board_store", "board_trust", "board_start", "board_main", "board_disk", "board_memory",
)  # fmt: skip
TESTS = [(module, name) for module in MODULES for name in boards.names(module)]

pytestmark = pytest.mark.micropython


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    return {module: boards.outcomes(module, tmp_path_factory.mktemp(module)) for module in MODULES}


@pytest.mark.parametrize("module, name", TESTS, ids=[name for _, name in TESTS])
def test_on_a_board(outcomes, module, name):
    assert outcomes[module][name] == "ok", outcomes[module][name]


def test_a_failing_test_on_a_board_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(boards, "PATH", "%s:%s" % (tmp_path, boards.PATH))
    (tmp_path / "wrong.py").write_text("def test_it(path):\n    assert path == 1\n")
    assert "AssertionError" in boards.outcomes("wrong", tmp_path)["test_it"]
