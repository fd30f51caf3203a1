# What a board's firmware freezes: the portable part of the agent and the driver for boards. A
# manifest of MicroPython's build (`make firmware PORT=...`). main.py stays out: a frozen one would
# win over the one that an owner copies onto the board.
import os

PACKAGE = "../agent/anchorwatch"
PARTS = ("core", "performers", "pki", "wire")


def modules_of(folder):
    """Names of the Python files in a folder."""
    return sorted([name for name in os.listdir(folder) if name.endswith(".py")])


def portable():
    """The portable part, as paths inside the package."""
    return modules_of(PACKAGE) + [
        part + "/" + name for part in PARTS for name in modules_of(PACKAGE + "/" + part)
    ]


package("anchorwatch", portable(), base_path="../agent")  # noqa: F821
if os.path.isdir("anchorwatch_board"):
    package("anchorwatch_board", modules_of("anchorwatch_board"))  # noqa: F821
