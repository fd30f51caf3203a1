# A manifest for firmware in which the agent is resident: `include` this one instead of
# ../manifest.py, and build with the C modules of ../cmodule and ANCHORWATCH_RESIDENT=1 (README.md).
#
# MicroPython's makemanifest.py runs this file and then mpy-tool.py, which it offers no way to
# replace; so what it calls to run it is replaced here, and stays as it is for anything else.
import os

import __main__

HERE = os.path.abspath("")  # a manifest is run in its own folder

if not callable(getattr(__main__, "system", None)):
    raise SystemExit("resident: makemanifest.py is not that of MicroPython 1.25")


def through_freeze(command, system=__main__.system):
    """mpy-tool.py by way of freeze.py."""
    if len(command) > 1 and command[1].endswith("mpy-tool.py"):
        command = [command[0], HERE + "/freeze.py"] + command[1:]
    return system(command)


__main__.system = through_freeze
include("../manifest.py")  # noqa: F821
