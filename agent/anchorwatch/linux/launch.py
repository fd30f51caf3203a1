"""The start of the resident agent: this process becomes a bare one, which reads its configuration.

Rule: a device starts with this, so it imports nothing; arguments hold a path and no setting.
"""

import os
import sys

CONFIG = "/etc/anchorwatch/anchorwatch.toml"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Imports make no garbage, and looking for it is a tenth of their time.
ENTRY = ("import gc, sys; gc.disable(); sys.path += sys.argv[1].split(%r);"
         "from anchorwatch.linux import entry; gc.freeze(); gc.enable();"
         "sys.exit(entry.main(sys.argv[2]))" % os.pathsep)
_PACKAGES = ("site-packages", "dist-packages")


def run(path: str) -> int:
    """Become the bare agent of the configuration at `path`; does not return."""
    # Dials run in threads, and each would leave an arena of malloc behind: a megabyte.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    # -S: what `site` would add is known here already, and costs a tenth of the start.
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", ENTRY, _paths(), path])


def _paths() -> str:
    """Where the agent and its libraries are; nobody's home, unless the agent itself is there."""
    home = getattr(sys.modules.get("site"), "USER_SITE", None)
    places = [p for p in sys.path if os.path.basename(p) in _PACKAGES and p != home]
    return os.pathsep.join([ROOT, *places])
