"""Runs the tests of one module on MicroPython: onboard.py MODULE FOLDER.

Every function test_*(folder) gets the name of a folder of its own that does not exist yet. Prints
`== NAME`, then `ok` or the traceback.
"""

import gc
import sys


def main(name, folder):
    module = __import__(name)
    for number, test in enumerate(sorted(dir(module))):
        if not test.startswith("test_"):
            continue
        print("== " + test)
        try:
            getattr(module, test)("%s/%d" % (folder, number))
            print("ok")
        except Exception as error:
            sys.print_exception(error, sys.stdout)
        gc.collect()


if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/")[0] or ".")
    main(sys.argv[1], sys.argv[2])
