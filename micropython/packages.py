"""package.json, by which `mip` installs the agent's sources: every file that manifest.py freezes.

    python3 micropython/packages.py            prints it
    python3 micropython/packages.py --write    writes it

Rule: one list. What a firmware freezes, what the bundle of bytecode has and what `mip` brings is
the same; main.py stays out of all three, since it is the owner's.
"""

import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE / "package.json"
sys.path.insert(0, str(HERE.parent))

from ports.stock import bundle  # noqa: E402  it reads the manifest


def package():
    """{"urls": [[where on the board, from where]]}; sources are named from this folder."""
    found = sorted(bundle.files().items())
    urls = [[name, os.path.relpath(path, HERE).replace(os.sep, "/")] for name, path in found]
    return {"version": bundle.version(), "deps": [], "urls": urls}


def text():
    """The file, a line a module."""
    tree = package()
    lines = ",\n".join(["  " + json.dumps(pair) for pair in tree["urls"]])
    return '{\n "version": %s,\n "deps": [],\n "urls": [\n%s\n ]\n}\n' % (
        json.dumps(tree["version"]), lines)  # fmt: skip


def main(words):
    if words == ["--write"]:
        PAGE.write_text(text(), encoding="utf-8")
        return 0
    if words:
        print("packages: %s: give --write or nothing" % " ".join(words), file=sys.stderr)
        return 2
    sys.stdout.write(text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
