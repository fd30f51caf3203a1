# The stock modules of the firmware, the agent as on every board, facts and hooks of this one.
include("$(PORT_DIR)/boards/manifest.py")  # noqa: F821
include("../../micropython/manifest.py")  # noqa: F821
module("board.py")  # noqa: F821
module("hooks.py")  # noqa: F821
