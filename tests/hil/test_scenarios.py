"""The rules of scenarios: a claim, play(cloud, device), and nothing but words that all know."""

import ast

import pytest

from tests import house

FOLDER = house.ROOT / "hil" / "scenarios"
SHARED = ("__init__", "seen")
FILES = [file for file in house.python_files(FOLDER) if file.stem not in SHARED]
README = house.ROOT / "hil" / "README.md"
MOST_LINES = 60
CLOUD = {"get", "post", "delete", "mark", "rows", "see", "reported", "root", "anchor", "ready"}
DEVICE = {
    "put", "start", "stop", "cut", "restore", "state", "status", "clock", "ask", "see", "reach",
    "name",
}  # fmt: skip


def names(files):
    return [file.stem for file in files]


def used(tree, name):
    """The attributes of a variable that a file uses."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    }


@pytest.mark.parametrize("file", FILES, ids=names(FILES))
def test_scenario_is_a_claim_and_a_play(file):
    tree = house.tree_of(file)
    assert ast.get_docstring(tree).split("\n")[0].endswith(".")
    play = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "play"]
    assert [a.arg for a in play[0].args.args] == ["cloud", "device"]
    assert len(file.read_text().splitlines()) < MOST_LINES


@pytest.mark.parametrize("file", house.python_files(FOLDER), ids=names(house.python_files(FOLDER)))
def test_scenario_uses_only_words_of_the_port_and_of_the_device(file):
    tree = house.tree_of(file)
    assert used(tree, "cloud") <= CLOUD
    assert used(tree, "device") <= DEVICE


@pytest.mark.parametrize("file", FILES, ids=names(FILES))
def test_scenario_neither_sleeps_nor_reaches_around_the_device(file):
    text = file.read_text()
    imported = [
        line for line in text.splitlines() if line.startswith(("import ", "from "))
    ]  # fmt: skip
    assert all(line.startswith(("from .seen", "from hil.bench.credential")) for line in imported)


@pytest.mark.parametrize("file", FILES, ids=names(FILES))
def test_readme_names_the_scenario(file):
    assert f"`{file.stem}`" in README.read_text()


@pytest.mark.parametrize("word", sorted(DEVICE - {"see", "reach", "name"}))
def test_readme_defines_the_devices_word(word):
    assert f"| `{word}" in README.read_text()
