"""The command line's front: arguments to one call to an exit code.

Rule: `run` imports nothing that only the other commands need: a device starts with it. Exit codes:
0 done, 1 refused, 2 wrong usage or configuration, 3 try later; `run` also gives 70 when the agent
has crashed.
"""

import sys

from ..errors import AgentError, ConfigError
from .launch import CONFIG, run

REFUSED, WRONG = 1, 2


def main(argv: list[str] | None = None) -> int:
    """Perform one command; the exit code."""
    words = sys.argv[1:] if argv is None else argv
    try:
        path = _plain_run(words)
        if path is not None:
            return run(path)
        from .commands import parser

        arguments = parser().parse_args(words)
        return arguments.command(arguments)
    except AgentError as error:
        print("anchorwatch: %s" % error, file=sys.stderr)
        return WRONG if isinstance(error, ConfigError) else getattr(error, "code", REFUSED)


def _plain_run(words: list[str]) -> str | None:
    """The configuration of `[--config PATH] run`; None for all else."""
    if words[-1:] != ["run"] or len(words) not in (1, 3):
        return None
    if len(words) == 1:
        return CONFIG
    return words[1] if words[0] == "--config" else None


if __name__ == "__main__":
    sys.exit(main())
