"""The process that stays: the checked configuration comes through an open file, the agent runs.

Rule: nothing is imported that only the start needs; arguments and environment hold no secret.
"""

import marshal
import os
import sys

from ..config import Config
from ..errors import AgentError, ConfigError, StateError
from .daemon import Agent

REFUSED, WRONG, LATER, CRASHED = 1, 2, 3, 70


def main(descriptor: int) -> int:
    """Run until asked to stop; the exit code of `anchorwatch run`."""
    with os.fdopen(descriptor, "rb") as file:
        handed = marshal.load(file)
    try:
        agent = Agent(Config(handed["tree"], handed["folder"]), handed["by_hand"])
        start = agent.begin()
    except AgentError as error:
        print("anchorwatch: %s" % error, file=sys.stderr)
        return code_of(error)
    try:
        agent.keep(start)
    except Exception:  # it is in the log and in the state, in a shape that shows no values
        return CRASHED
    return 0


def code_of(error: AgentError) -> int:
    """The exit code of an agent that could not start."""
    if isinstance(error, StateError) and error.verdict == "locked":
        return LATER
    return WRONG if isinstance(error, ConfigError) else REFUSED
