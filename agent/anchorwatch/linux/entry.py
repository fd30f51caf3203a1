"""The process that stays: the configuration is read and checked, the agent runs.

Rule: arguments and environment hold no secret and no setting.
"""

import os
import sys

from ..config import Config
from ..errors import AgentError, ConfigError, StateError
from . import toml
from .daemon import Agent

REFUSED, WRONG, LATER, CRASHED = 1, 2, 3, 70


def main(path: str) -> int:
    """Run until asked to stop; the exit code of `anchorwatch run`."""
    try:
        agent = Agent(Config(*toml.read(path)), os.isatty(2))
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
