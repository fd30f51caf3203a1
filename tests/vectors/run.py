"""Runs every case table of the portable part, unchanged on CPython and on MicroPython.

Prints one line a case (table, verdict, sentence, result) and a count; the output of both runtimes
must be equal byte for byte. Exit 1 if a case failed. A table is a module `*_cases.py` beside this
file with CASES: rows of (sentence, call, arguments, expected); expected is a value,
("raises", kind of error, how its text begins), or a function that looks at the result.
"""

import gc
import sys

if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/")[0] or ".")

from anchorwatch.core.record import show

TABLES = (
    "encoding", "json", "names", "dps", "hub", "websocket", "sas", "frame", "tls", "http", "sntp",
    "der", "pem", "anchor", "judge", "broken", "p256", "sign", "canonical",
    "bundle", "delegation", "readiness", "url", "mqtt", "glance", "shortened",
)  # fmt: skip


def outcome(call, arguments):
    """What a case led to: a value, or ("raises", kind, text)."""
    try:
        return call(*arguments)
    except Exception as error:
        return ("raises", type(error).__name__, str(error))


def fits(found, expected):
    """Is it what the table says? Of an error the kind and the beginning of its text count."""
    if callable(expected):
        return expected(found)
    if isinstance(expected, tuple) and expected[:1] == ("raises",):
        same_kind = isinstance(found, tuple) and found[:2] == expected[:2]
        return same_kind and found[2].startswith(expected[2])
    return type(found) is type(expected) and found == expected


def lines(table, cases):
    """[(did it fit, line)] of one table."""
    done = []
    for sentence, call, arguments, expected in cases:
        found = outcome(call, arguments)
        right = fits(found, expected)
        text = show(found)
        shown = text if len(text) <= 300 else text[:300] + "..."
        word = "ok" if right else "FAILED"
        done.append((right, "%s: %s: %s -> %s" % (table, word, sentence, shown)))
    return done


def main():
    """Run all; print; return the exit status."""
    count = failed = 0
    for table in TABLES:
        for right, line in lines(table, __import__(table + "_cases").CASES):
            print(line)
            count += 1
            failed += not right
        # The small heap must not end up strewn with tables that are done.
        del sys.modules[table + "_cases"]
        gc.collect()
    print("%d cases, %d failed" % (count, failed))
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
