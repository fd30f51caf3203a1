"""What runs on MicroPython in test_board_agent.py: an application around the agent, whose console
is this program's standard input and output.

    micropython board_program.py FOLDER [one-session] [turned]
"""

import asyncio
import gc
import json
import sys

from anchorwatch_board.agent import Agent
from anchorwatch_board.console import Console
from anchorwatch_board.port import Port

from anchorwatch.config import Config


class Facts:
    """A board without room for a second session."""

    second_session = False


def main(folder, *words):
    with open(folder + "/config.json") as file:
        config = Config(json.load(file), folder)
    agent = Agent(config, by_hand=True, port=Port(Facts if "one-session" in words else None))
    Console(agent)

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
        asyncio.run(turned(agent))
    else:
        agent.run()
    print("ended")


async def turned(agent):
    """A program with a loop of its own."""
    while agent.turn():
        await asyncio.sleep_ms(20)


main(*sys.argv[1:])
