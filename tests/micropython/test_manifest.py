"""The manifest of what a board freezes: complete, and nothing more."""

from tests import house

MANIFEST = house.ROOT / "micropython" / "verifier.py"
NEEDED = "anchorwatch.pki.delivery"


def frozen():
    """{module} of the package, and the folders that the manifest names."""
    modules, folders = set(), []

    def package(name, files, base_path):
        folders.append(base_path)
        for file in files:
            parts = (name + "/" + file)[: -len(".py")].split("/")
            modules.add(".".join(parts[:-1] if parts[-1] == "__init__" else parts))

    def module(file, base_path):
        folders.append(base_path + "/" + file)

    exec(MANIFEST.read_text(encoding="utf-8"), {"package": package, "module": module})
    return modules, folders


def needed(first, graph):
    """All that `first` imports, and the packages around it."""
    found, left = set(), [first]
    while left:
        one = left.pop()
        if one and one not in found:
            found.add(one)
            left.append(one.rpartition(".")[0])
            left += [] if one == house.PACKAGE else graph[one]
    return found


def test_board_freezes_all_that_verifies_a_bundle_and_nothing_else():
    modules, folders = frozen()
    assert modules == needed(NEEDED, house.import_graph(house.ROOT / "agent"))
    assert len(modules) > 15
    assert all((MANIFEST.parent / folder).exists() for folder in folders)
