"""The start of the resident agent: the configuration is checked, then a bare process takes over.

Rule: a device starts with this, so it imports nothing else that a start does not need.
"""

import gc
import marshal  # both ends are one interpreter, and it is there already
import os
import sys

CONFIG = "/etc/anchorwatch/anchorwatch.toml"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ENTRY = ("import gc, sys; gc.disable(); sys.path += sys.argv[1].split(%r);"
         "from anchorwatch.linux import entry; gc.enable();"
         "sys.exit(entry.main(int(sys.argv[2])))" % os.pathsep)
_PACKAGES = ("site-packages", "dist-packages")


def run(path: str) -> int:
    """Check the configuration and its files, then become the bare agent."""
    gc.disable()  # imports make no garbage, and looking for it is a tenth of their time
    from .toml import load

    tree, folder = load(path)
    handed = {"tree": tree, "folder": folder, "by_hand": os.isatty(2)}
    descriptor = os.memfd_create("anchorwatch", 0)
    os.write(descriptor, marshal.dumps(handed))
    os.lseek(descriptor, 0, os.SEEK_SET)
    # Dials run in threads, and each would leave an arena of malloc behind: a megabyte.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    # -S: what `site` would add is known here already, and costs a tenth of the start.
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", ENTRY, _paths(), str(descriptor)])


def _paths() -> str:
    """Where the agent and its libraries are; nobody's home, unless the agent itself is there."""
    home = getattr(sys.modules.get("site"), "USER_SITE", None)
    places = [p for p in sys.path if os.path.basename(p) in _PACKAGES and p != home]
    return os.pathsep.join([ROOT, *places])
