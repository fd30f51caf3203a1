# The agent in the flash, the facts and hooks of this board, what runs before main.py, and the
# program of the boards under test: with so little memory a program is frozen too.
include("../../micropython/resident/manifest.py")  # noqa: F821
module("board.py")  # noqa: F821
module("boot.py")  # noqa: F821
module("hooks.py")  # noqa: F821
module("application.py", base_path="../../hil/bench/onboard")  # noqa: F821
