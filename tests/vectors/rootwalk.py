"""rootwalk.py FOLDER FIRST LAST: walks a history of roots, FIRST.root.json to LAST.root.json.

Runs on CPython and on MicroPython; prints each step, or the refusal and exit status 1.
"""

import sys

from deliver import read

from anchorwatch.errors import AgentError
from anchorwatch.pki.tuf import TrustedSet


def main(folder, first, last):
    """Walk; print; return the exit status."""
    try:
        trusted = TrustedSet(read(folder, first + ".root.json"), {})
        while trusted.root.version < int(last):
            wanted = trusted.wanted()
            print("%s %s" % (wanted.name, trusted.take(read(folder, wanted.name))))
    except AgentError as error:
        print("%s: %s" % (type(error).__name__, error))
        return 1
    print("root %d" % trusted.root.version)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3]))
