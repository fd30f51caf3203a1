"""What a board runs at power-on: the configuration, then the agent, for ever.

Rule: nothing here ends in a loop that is quick. A wrong configuration is said and read again a
minute later; a crash is kept in the state, waited out, and ends in a restart; three within an hour
and the agent keeps the watch reduced (anchorwatch.core.device).
"""

import sys
import time

from anchorwatch_board import crash, port
from anchorwatch_board.agent import Agent
from anchorwatch_board.config import FILE, load
from anchorwatch_board.store import open_store

from anchorwatch.errors import AgentError, ConfigError, StateError

RETRY_S = 60
_FIRST_S, _MOST_S = 10, 600


def run(path=FILE, here=None):
    """Run the agent until it is asked to stop.

    here  see port.py; what the device has of `board` and `hooks` without it
    """
    here = here or port.here()
    noted = False
    while True:
        try:
            config = load(path)
            if not noted:
                _note_reset(config)
                noted = True
            Agent(config, port=here).run()
            return
        except (ConfigError, StateError) as error:
            print("anchorwatch: %s" % error)
            wait(RETRY_S, here)
        except Exception as error:
            sys.print_exception(error)
            wait(delay_s(config), here)
            here.restart("crash")
            raise


def delay_s(config):
    """How long a crash is waited out: longer with each within the hour."""
    try:
        body = open_store(config, _silent)[0].newest("crash")
    except AgentError:
        body = None
    count = len(crash.within_the_hour(body, int(time.time())))
    return min(_FIRST_S << min(count, 8), _MOST_S)


def wait(seconds, here):
    """Sleep, and keep the watchdog quiet."""
    for _ in range(seconds):
        here.feed()
        time.sleep(1)


def _note_reset(config):
    """A reset by the watchdog counts as a crash: nobody else can tell of it."""
    if not _bitten():
        return
    store = open_store(config, _silent)[0]
    before = store.read(("crash",)).get("crash")
    try:
        store.save("crash", crash.reset(int(time.time()), before))
    except OSError:
        pass  # it is not kept; the agent starts all the same


def _bitten():
    try:
        import machine

        return machine.reset_cause() == machine.WDT_RESET
    except (ImportError, AttributeError):
        return False  # this port does not tell


def _silent(*told):
    """The agent reads the same state next, and tells what is wrong with it."""


if __name__ == "__main__":
    run()
