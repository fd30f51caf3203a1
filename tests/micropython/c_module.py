"""The C module's keys and signatures, called on MicroPython: c_module.py WHAT FILE

FILE holds what is given, a line each; this program takes no word of more than 255 letters.

verify KEY DIGEST SIGNATURE   True | False | the error
make                          a new key, its public key
public KEY                    the public key
sign KEY DIGEST               a signature
starve KEY DIGEST SIGNATURE   what verify says with less and less of the heap free
length N                      sets the fragment length
Bytes are in hexadecimal, in and out.
"""

import binascii
import gc
import sys

import anchorwatch_mbedtls as module

FREE = range(12_000, 0, -200)
PIECE = 96  # what a bytearray of two thirds of its size takes, with its head


def starved(free, *given):
    """What verify says with `free` bytes of the heap left, in pieces."""
    gc.collect()
    pieces = [None] * (gc.mem_free() // PIECE)
    try:
        for at in range((gc.mem_free() - free) // PIECE):
            pieces[at] = bytearray(PIECE - 32)
        return module.verify(*given)
    except MemoryError:
        return "MemoryError"
    finally:
        pieces.clear()


def shown(found):
    return binascii.hexlify(found).decode() if isinstance(found, bytes) else str(found)


def answers(what, given):
    """What is to be printed, a line each."""
    if what == "length":
        return [module.set_max_fragment_length(int(given[0]))]
    given = [binascii.unhexlify(line) for line in given]
    if what == "make":
        key = module.make_key()
        return [key, module.public_key(key)]
    if what == "starve":
        return [starved(free, *given) for free in FREE]
    call = {"verify": module.verify, "public": module.public_key, "sign": module.sign}[what]
    return [call(*given)]


def main(what, name):
    with open(name) as file:
        given = file.read().split("\n")[:-1]
    try:
        found = answers(what, given)
    except (OSError, ValueError) as error:
        found = [repr(error)]
    for one in found:
        print(shown(one))


if __name__ == "__main__":
    main(*sys.argv[1:])
