"""wycheproof.py FILE: plays ECDSA P-256 vectors through our verifier, prints what differs.

Runs on CPython and on MicroPython; exit 1 if a verdict differs or nothing was played.
"""

import json
import sys
from binascii import unhexlify

from anchorwatch.pki.p256 import point_of_spki, verify


def main(path):
    """Play all; print; return the exit status."""
    with open(path, encoding="utf-8") as file:
        groups = json.loads(file.read())["testGroups"]
    right = wrong = 0
    for group in groups:
        point = point_of_spki(unhexlify(group["publicKeyDer"]))
        for test in group["tests"]:
            found = verify(point, unhexlify(test["msg"]), unhexlify(test["sig"]))
            if found == (test["result"] == "valid"):
                right += 1
            else:
                wrong += 1
                print("%d %s: %s" % (test["tcId"], test["comment"], found))
    print("%d of %d" % (right, right + wrong))
    return 1 if wrong or not right else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
