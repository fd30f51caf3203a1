"""The way to keys.py: a child process that is asked one thing and ends.

Rule: whatever is secret passes through its pipes, in and out; nothing of it is in an argument, in
the environment or in an error.
"""

import os
import sys

from ..errors import ConfigError

_CHILD_S = 60
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_CHILD = ("import sys; sys.path.insert(0, sys.argv[1]);"
          "from anchorwatch.linux import keys; sys.exit(keys.main())")


def ask(do: str, about: str, **given: str) -> dict:
    """What a function of keys.py answers; `about` is what an error names.

    Raises  ConfigError
    """
    import json  # a device with a symmetric key starts without these two
    import subprocess

    command = [sys.executable, "-I", "-c", _CHILD, _ROOT]
    asked = json.dumps({"do": do, "with": given}).encode()
    try:
        done = subprocess.run(command, input=asked, capture_output=True, timeout=_CHILD_S,
                              check=False)
        answer = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ConfigError("credential could not be examined", about,
                          "check that the package cryptography is installed") from error
    if "error" in answer:
        error = answer["error"]
        raise ConfigError(error["what"], error["value"], error["remedy"])
    return answer["is"]  # type: ignore[no-any-return]
