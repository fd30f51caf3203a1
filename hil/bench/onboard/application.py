"""What runs on a board under test: an application around the agent, asked over the console.

    micropython application.py FOLDER     on a computer
    import application                    on a board, where it is frozen; its files in the root

Rule: everything it adds is a test's: two methods, an echo, files that come over the console. The
file `words` may hold what else is wanted: one-session (the board has room for no other), turned
(the agent is turned by a loop of the program's). With a file `weighed` it weighs itself.
"""

import gc
import os
import sys
import time

from anchorwatch_board import memory

memory.collect_often()

# ruff: noqa: E402  as a board's own main.py
from anchorwatch_board import port as ports
from anchorwatch_board.agent import Agent
from anchorwatch_board.config import load
from anchorwatch_board.console import Console

from anchorwatch.wire.encoding import base64_bytes


class OneSession:
    """A board without room for a second session."""

    second_session = False


class Clock:
    """Hooks of a computer whose clock is not ours to set: libfaketime reads an offset from a file,
    each time anew."""

    def __init__(self, file):
        self._file = file

    def utc_s(self):
        """Seconds since 1970."""
        return int(time.time())

    def set_clock(self, utc_s):
        """By the difference to what it shows."""
        with open(self._file) as file:
            offset_s = int(file.read())
        with open(self._file, "w") as file:
            file.write("%+d" % (offset_s + utc_s - int(time.time())))


def here(words):
    """The port, as the firmware has it but for what the test wants."""
    file = os.getenv("FAKETIME_TIMESTAMP_FILE") if hasattr(os, "getenv") else None
    if file is None and "one-session" not in words:
        return ports.here()
    board = OneSession if "one-session" in words else ports.module("board")
    return ports.Port(board, Clock(file) if file else ports.module("hooks"))


def put(folder):
    """The console's word for a file: whole at every moment."""

    def write(given):
        place = folder + given["name"]
        with open(place + ".new", "wb") as file:
            file.write(base64_bytes(given["data"]))
        os.rename(place + ".new", place)
        return {}

    return write


def told(file):
    """The words of a file; none without it."""
    try:
        with open(file) as lines:
            return lines.read().split()
    except OSError:
        return []


def main(folder=""):
    folder = folder + "/" if folder else ""
    words = told(folder + "words")
    agent = Agent(load(folder + "config.json"), by_hand=True, port=here(words))
    Console(agent, {"put": put(folder)})
    if told(folder + "weighed"):
        import weigh

        weigh.put_on(agent)

    @agent.method("blink")
    def blink(payload):
        return 200, {"heard": payload}

    @agent.method("fall")
    def fall(payload):
        raise ValueError("on purpose")

    @agent.on_message
    def hear(about):
        agent.send(about["payload"], {"echo": "yes"})

    gc.collect()
    if "turned" in words:
        import asyncio

        asyncio.run(turned(agent, asyncio.sleep_ms))
    else:
        agent.run()
    print("ended")


async def turned(agent, pause_ms):
    """A loop that has other things to do."""
    while agent.turn():
        await pause_ms(20)


main(*sys.argv[1:])
