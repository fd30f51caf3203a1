"""What a board runs at power-on: the configuration, then the agent, for ever.

Rule: nothing here ends in a loop that is quick. A wrong configuration is said and read again a
minute later; a crash is kept in the state, waited out, and ends in a restart; three within an hour
and the agent keeps the watch reduced (anchorwatch.core.device).
"""

import sys
import time

from anchorwatch_board import memory

memory.collect_often()

# ruff: noqa: E402  nothing large is read before that
from anchorwatch_board import crash, port
from anchorwatch_board.agent import Agent
from anchorwatch_board.config import FILE, load
from anchorwatch_board.store import open_store

from anchorwatch.errors import AgentError, ConfigError, StateError

RETRY_S = 60
_FIRST_S, _MOST_S = 10, 600


def wait(seconds, here):
    """Sleep, and keep the watchdog quiet."""
    for _ in range(seconds):
        here.feed()
        time.sleep(1)


def run(path=FILE, here=None, pause=wait, say=print):
    """Run the agent until it is asked to stop.

    here   see port.py; what the device has of `board` and `hooks` without it
    pause  called with seconds and `here`; say  takes lines for the console
    """
    here = here or port.here()
    bitten = here.bitten()
    while True:
        try:
            config = load(path)
            if bitten:
                keep(config, crash.reset)
                bitten = False
            agent, start = begun(config, here, pause, say)
            break
        except (ConfigError, StateError) as error:
            say("anchorwatch: %s" % error)
            pause(RETRY_S, here)
    try:
        agent.keep(start)
    except Exception:
        ended(config, here, pause)
        raise


def begun(config, here, pause, say):
    """(the agent, what it starts with). A crash on the way there is kept as one of its own is."""
    try:
        agent = Agent(config, port=here, write=say)
        return agent, agent.begin()
    except (ConfigError, StateError):
        raise
    except Exception as error:
        sys.print_exception(error)
        keep(config, crash.account, error)
        ended(config, here, pause)
        raise


def ended(config, here, pause):
    """After a crash: longer with each within the hour, then a restart."""
    try:
        body = open_store(config, _silent)[0].newest("crash")
    except AgentError:
        body = None
    count = len(crash.within_the_hour(body, int(time.time())))
    pause(min(_FIRST_S << min(count, 8), _MOST_S), here)
    here.restart("crash")


def keep(config, account, *given):
    """Keep `account(*given, utc_s, before)`; the agent starts all the same if that fails."""
    try:
        store = open_store(config, _silent)[0]
        before = store.read(("crash",)).get("crash")
        store.save("crash", account(*given, int(time.time()), before))
    except (OSError, AgentError, MemoryError):
        pass


def _silent(*told):
    """The agent reads the same state next, and tells what is wrong with it."""


if __name__ == "__main__":
    run()
