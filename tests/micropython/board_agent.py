"""The board's agent as a process: MicroPython's unix program, asked over its standard input.

Rule: knows the console's words and nothing behind them.
"""

import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import threading

import tomllib

from hil.bench.board import brief
from hil.bench.waiting import until

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = pathlib.Path(__file__).with_name("board_program.py")
TRY_LATER = 3
SETTINGS = {
    "boot": {"spread_s": 0},
    "fleet": {"devices": 1, "connects_per_s": 1000},
    "reverify": {"confirm_s": 1, "swap_every_s": 0},
    "dps": {"spread_s": 0},
}


def micropython():
    """The program beside this interpreter, or on the path; None without one."""
    beside = pathlib.Path(sys.executable).parent / "micropython"
    return str(beside) if beside.exists() else shutil.which("micropython")


def _add(folder, file):
    return "roots_add", {"pem": (folder / file).read_text()}


# What the operator types: the console's word, and what is given with it.
_ORDERS = {
    ("reverify",): lambda folder: ("reverify", {}),
    ("reverify", "--swap"): lambda folder: ("reverify", {"swap": True}),
    ("reprovision",): lambda folder: ("reprovision", {}),
    ("roots", "add"): _add,
    ("identity", "roll"): lambda folder: ("roll", {}),
}


class BoardAgent:
    """One device in a folder that holds anchorwatch.toml as the emulated cloud wrote it.

    settings  {section: {key: value}} over it; None for a section that goes
    words  further arguments of the program
    heap   of the program; its modules come as source, so it is not a board's
    """

    def __init__(self, folder, name, settings, words=(), heap="6m", program=None):
        self.folder, self.name, self._words, self._heap = pathlib.Path(folder), name, words, heap
        self._program = program or micropython()
        self.process = None
        self.said = []
        tree = tomllib.loads((self.folder / "anchorwatch.toml").read_text(encoding="utf-8"))
        for changes in (SETTINGS, settings):
            for section in changes:
                tree.setdefault(section, {}).update(changes[section] or {})
        tree = {key: tree[key] for key in tree if settings.get(key, {}) is not None}
        (self.folder / "config.json").write_text(json.dumps(tree), encoding="utf-8")

    # The words of the protocol in hil/README.md.

    def put(self, name, data):
        """A file of the device, whole at every moment."""
        beside = self.folder / (name + ".new")
        beside.write_bytes(data)
        beside.replace(self.folder / name)

    def start(self):
        """Switch the board on; returns when its status can be read."""
        self.launch()
        self.status()

    restore = start

    def state(self):
        """The word of the agent's connection table."""
        return self.status()["agent"]["state"]

    def see(self, waited_for, sought, within_s=30):
        """Wait until the status shows what is sought."""

        def look():
            status = self.status()
            return sought(status), (brief(status), self.tail())

        return until(waited_for, look, within_s)

    def reach(self, state, within_s=30):
        """Wait for a word of the connection table."""
        self.see("state " + state, lambda s: s["agent"]["state"] == state, within_s)

    def ask(self, *words, within_s=20):
        """What the operator types on the device; "try later" is tried again, for so long."""
        do, given = _ORDERS[words[:2]](self.folder, *words[2:])

        def asked():
            answer = self.request(do, given)
            assert answer["ok"] or answer["code"] == TRY_LATER, answer
            return (answer.get("is") if answer["ok"] else None), answer

        return until(" ".join(words), asked, within_s, every_s=0.5)

    # What is behind them.

    def launch(self):
        """A process of its own."""
        heap = ["-X", "heapsize=" + self._heap] if self._heap else []
        path = "%s:%s:.frozen" % (ROOT / "agent", ROOT / "micropython")
        self.process = subprocess.Popen(
            [self._program, *heap, str(PROGRAM), str(self.folder), *self._words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "MICROPYPATH": path}, start_new_session=True,
        )  # fmt: skip
        self._answers, self._number = queue.Queue(), 0
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()

    def asked(self, do, **given):
        """What comes of one request; AssertionError when it is refused or does not come."""
        answer = self.request(do, given)
        assert answer["ok"], answer
        return answer["is"]

    def request(self, do, given, within_s=20):
        """The answer to one request."""
        self._number += 1
        asked = json.dumps({"id": self._number, "do": do, "with": given})
        try:
            self.process.stdin.write(asked.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            code = self.process.wait(20)
            raise AssertionError("the board has ended, %d: %s" % (code, self.tail())) from None
        while True:
            try:
                answer = self._answers.get(timeout=within_s)
            except queue.Empty:
                raise AssertionError("no answer to %s: %s" % (do, self.tail())) from None
            if answer.get("id") == self._number:
                return answer

    def status(self):
        """The whole status."""
        return self.asked("status")

    def stop(self):
        """Ask it to end; its exit code."""
        self.asked("stop")
        return self._ended()

    def cut(self):
        """Power gone."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self._ended()

    def tail(self):
        """Its last words."""
        return "\n".join(self.said[-25:])

    def _ended(self):
        code = self.process.wait(20)
        self.process.stdin.close()
        return code

    def _read(self, stream):
        with stream:
            for raw in stream:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                if line.startswith("{"):
                    self._answers.put(json.loads(line))
                else:
                    self.said.append(line)
