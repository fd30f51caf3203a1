# The stock modules of the firmware, the agent in the flash, facts and hooks of this board.
include("$(PORT_DIR)/boards/manifest.py")  # noqa: F821
include("../../micropython/resident/manifest.py")  # noqa: F821
module("board.py")  # noqa: F821
module("hooks.py")  # noqa: F821
