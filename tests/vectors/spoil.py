"""spoil.py FOLDER UTC_S STEP: the bundle in FOLDER with one byte changed, or cut, at every STEP-th
place of each of its files, from 1.root.json on; each is verified from the beginning.

Runs on CPython and on MicroPython; prints what became of each file. Exit status 1 if one was taken
whose content is another. A signature is verified once: whether it is right hangs on the key, the
digest and itself alone, so the answer is remembered.
"""

import os
import sys

from anchorwatch.errors import AgentError
from anchorwatch.pki import p256
from anchorwatch.pki.delivery import Delivery
from anchorwatch.pki.tuf import TrustedSet

FIRST = "1.root.json"


def remember():
    """Have p256 answer each question once."""
    ask, known = p256.verify_digest, {}

    def answer(point, digest, signature):
        question = (bytes(point), bytes(digest), bytes(signature))
        if question not in known:
            known[question] = ask(point, digest, signature)
        return known[question]

    p256.verify_digest = answer


def content(files, utc_s):
    """What is believed in the end."""
    delivery = Delivery(TrustedSet(files[FIRST], {}, utc_s), {}, "global", "0.1.0")
    wanted = delivery.wanted()
    while wanted is not None:
        delivery.take(files.get(wanted.name))
        wanted = delivery.wanted()
    return delivery.content()


def spoiled(data, step):
    """Each byte of every step-th place changed in one bit, then the file cut there."""
    for at in range(0, len(data), step):
        yield data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        yield data[:at]


def main(folder, utc_s, step):
    """Try all; print; return the exit status."""
    remember()
    files = {}
    for name in os.listdir(folder):
        with open(folder + "/" + name, "rb") as file:
            files[name] = file.read()
    right, wrong = content(files, int(utc_s)), 0
    for name in sorted(files):
        count = {"refused": 0, "the same": 0, "ANOTHER": 0}
        for data in spoiled(files[name], int(step)):
            try:
                same = content(dict(files, **{name: data}), int(utc_s)) == right
                count["the same" if same else "ANOTHER"] += 1
            except AgentError:
                count["refused"] += 1
        wrong += count["ANOTHER"]
        print("%s: %s" % (name, ", ".join(["%s %d" % (k, count[k]) for k in sorted(count)])))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
