"""Where Microsoft's SDK lives: a virtual environment of its own, since it pins an older paho."""

import subprocess
import sys
from pathlib import Path

SDK = "azure-iot-device==2.14.0"
PLACE = Path(__file__).parents[2] / "build" / "foreign-sdk"
INSTALL_S = 300


class NoSdk(Exception):
    """It cannot be installed here; the text says what failed."""


def python() -> str:
    """The interpreter that has the SDK; made and filled the first time.

    Raises  NoSdk
    """
    interpreter, stamp = PLACE / "bin" / "python", PLACE / "installed"
    if not stamp.exists() or stamp.read_text() != SDK:
        _run("cannot make a virtual environment", [sys.executable, "-m", "venv", str(PLACE)])
        install = [str(interpreter), "-m", "pip", "install", "--quiet", "--no-input", SDK]
        _run(f"pip cannot install {SDK}", install)
        stamp.write_text(SDK)
    return str(interpreter)


def _run(failure: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode:
        raise NoSdk(f"{failure}: {done.stderr.strip()[-300:]}")
