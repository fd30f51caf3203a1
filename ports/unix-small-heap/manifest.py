# The agent as on every board, and the facts of this one.
include("../../micropython/resident/manifest.py")  # noqa: F821
module("board.py")  # noqa: F821
module("hooks.py", base_path="../unix")  # noqa: F821
