"""Boards under test: the agent on MicroPython, spoken with over its console.

Rule: knows the console's words (contract section 4) and nothing behind them. What differs between
boards, power and disk, is in unix.py and mps2.py.
"""

import base64
import json
import queue
import shlex
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from .board import TRY_LATER, BoardError, Device, brief
from .waiting import until

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

PROGRAM = Path(__file__).parent / "onboard" / "application.py"
CONFIG = "config.json"
START_S, ANSWER_S, STOP_S = 60, 30, 30
LAST_WORDS = 25


class Board(Device):
    """One board, configured from the folder that the emulated cloud has written for a device.

    folder  holds anchorwatch.toml; what the device has stands in it
    name    its device id
    said    the lines of its log
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = Path(folder), name
        self.said: list[str] = []
        text = (self.folder / "anchorwatch.toml").read_text(encoding="utf-8")
        self._tree: dict = tomllib.loads(text)
        self._power: object | None = None
        self._answers: queue.Queue = queue.Queue()
        self._number = 0
        self.configure({})

    # What a kind of board has of its own.

    def switch_on(self) -> object:
        """Give it power: what has stdin and stdout, wait(limit_s) and kill()."""
        raise NotImplementedError

    def store(self, name: str, data: bytes) -> None:
        """A file onto its disk."""
        raise NotImplementedError

    # The words of the protocol in hil/README.md.

    def put(self, name: str, data: bytes) -> None:
        """A file of the device, in the place of an older one, whole at every moment."""
        beside = self.folder / (name + ".new")
        beside.write_bytes(data)
        beside.replace(self.folder / name)
        self.store(name, data)

    def start(self) -> None:
        """Switch the board on; returns when its status can be read."""
        self.launch()
        self._request("status", {}, START_S)

    def restore(self) -> None:
        """Power back, after cut."""
        self.start()

    def status(self) -> dict:
        """The whole status."""
        return self.asked("status")

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.asked("stop")
        return self._ended(STOP_S)

    def cut(self) -> None:
        """Power gone; nothing when it is off."""
        if self._power is not None:
            self._power.kill()
            self._ended(STOP_S)

    def ask(self, *words: str, within_s: float = 20) -> str:
        """What the operator types on the device; "try later" is tried again, for so long.

        Raises  BoardError: it was refused, or no board has such a command
        """
        do, given = self._order(words)

        def asked() -> tuple[object, object]:
            answer = self._request(do, given, ANSWER_S)
            if not answer["ok"] and answer["code"] != TRY_LATER:
                raise BoardError(f"{shlex.join(words)}: {answer}")
            return (json.dumps(answer["is"]) if answer["ok"] else None), answer

        return str(until(f"{shlex.join(words)} is taken", asked, within_s, every_s=0.5))

    # What is behind them.

    @property
    def running(self) -> bool:
        """Whether it has power."""
        return self._power is not None

    def configure(self, settings: dict) -> None:
        """Change {"section": {"key": value}} in the configuration, before start; None for a section
        that goes."""
        for section, values in settings.items():
            if values is None:
                self._tree.pop(section, None)
            else:
                self._tree.setdefault(section, {}).update(values)
        self.put(CONFIG, json.dumps(self.tree()).encode())

    def tree(self) -> dict:
        """The configuration as the board has it."""
        return self._tree

    def launch(self) -> None:
        """Give it power, and listen; it may end at once."""
        if self._power is not None:
            raise BoardError("the board has power already: stop it")
        self._power = self.switch_on()
        self._answers = queue.Queue()
        reading = threading.Thread(
            target=self._read, args=(self._power.stdout, self._answers), daemon=True
        )
        reading.start()

    def asked(self, do: str, **given: object) -> dict:
        """What comes of one request; BoardError when it is refused or does not come."""
        answer = self._request(do, given, ANSWER_S)
        if not answer["ok"]:
            raise BoardError(f"{do}: {answer}")
        return answer["is"]

    def ended(self, within_s: float = STOP_S) -> int:
        """Wait for its end; the exit code."""
        return self._ended(within_s)

    def seen(self, status: dict) -> object:
        """What a complaint shows: the status and the last of its log."""
        return brief(status), self.tail()

    def tail(self) -> str:
        """Its last words."""
        return "\n".join(self.said[-LAST_WORDS:])

    def _order(self, words: tuple[str, ...]) -> tuple[str, dict]:
        """The console's word for what is typed, and what goes with it."""
        found = next((n for n in (2, 1) if words[:n] in ORDERS), None)
        if found is None:
            raise BoardError(f"{shlex.join(words)}: no board has such a command")
        do, given = ORDERS[words[:found]]
        return do, given(self.folder, *words[found:])

    def _request(self, do: str, given: dict, within_s: float) -> dict:
        """The answer to one request."""
        if self._power is None:
            raise BoardError("the board has no power: start it")
        self._number += 1
        line = json.dumps({"id": self._number, "do": do, "with": given}).encode() + b"\n"
        try:
            self._power.stdin.write(line)
            self._power.stdin.flush()
            return self._answer(within_s)
        except BrokenPipeError:
            code = self._ended(STOP_S)
            raise BoardError(f"the board has ended, status {code}: {self.tail()}") from None
        except queue.Empty:
            raise BoardError(f"no answer to {do} in {within_s} s: {self.tail()}") from None

    def _answer(self, within_s: float) -> dict:
        while True:
            answer = self._answers.get(timeout=within_s)
            if answer is None:
                raise BrokenPipeError
            if answer.get("id") == self._number:
                return answer

    def _ended(self, within_s: float) -> int:
        ending, self._power = self._power, None
        try:
            return ending.wait(within_s)
        except subprocess.TimeoutExpired:
            ending.kill()
            ending.wait(STOP_S)
            raise BoardError(f"the board does not end in {within_s} s: {self.tail()}") from None
        finally:
            try:
                ending.stdin.close()
            except BrokenPipeError:
                pass  # what was still to be said

    def _read(self, stream: object, answers: queue.Queue) -> None:
        with stream:
            for raw in stream:
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                if line.startswith("{"):
                    answers.put(json.loads(line))
                else:
                    self.said.append(line)
        answers.put(None)


def _pem(folder: Path, file: str) -> dict:
    return {"pem": (folder / file).read_text()}


def _message(folder: Path, *words: str) -> dict:
    """`--mid MID TEXT`"""
    _, mid, text = words
    return {"mid": mid, "payload": base64.b64encode(text.encode()).decode()}


# What the operator types: the console's word, and what is given with it.
ORDERS: dict[tuple[str, ...], tuple[str, Callable[..., dict]]] = {
    ("reverify",): ("reverify", lambda folder: {}),
    ("reverify", "--swap"): ("reverify", lambda folder: {"swap": True}),
    ("reprovision",): ("reprovision", lambda folder: {}),
    ("send",): ("send", _message),
    ("roots", "add"): ("roots_add", _pem),
    ("roots", "history"): ("roots_history", lambda folder: {}),
    ("roots", "import"): ("roots_import", lambda folder, url: {"url": url}),
    ("identity", "roll"): ("roll", lambda folder: {}),
}
