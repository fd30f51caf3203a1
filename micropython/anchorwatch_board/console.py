"""Questions by a line of JSON on standard input, answers on standard output: over a serial line, or
of a program that is this one's parent.

Rule: the words are those of the Linux agent's control socket. Whoever holds the line owns the
board: nobody is asked who he is.

    {"id": 1, "do": "status"}  ->  {"id": 1, "is": {...}, "ok": true}

Source: contract section 4.
"""

import json
import select
import sys

from anchorwatch.errors import AgentError, ConfigError
from anchorwatch.wire.encoding import base64_bytes

_LINE_AT_MOST = 65_536
_READ_AT_ONCE = 512


class Console:
    """One agent's console.

    words  more of them, of the firmware's own: {word: function(given) that returns a dict}
    """

    def __init__(self, agent, words=None):
        self._agent, self._line, self._words = agent, bytearray(), words or {}
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        agent.selector.register(sys.stdin, select.POLLIN, self._read)

    def _read(self, mask):
        for _ in range(_READ_AT_ONCE):
            char = sys.stdin.read(1)
            if not char:
                self._agent.selector.unregister(sys.stdin)
                return
            if char == "\n":
                line, self._line = self._line, bytearray()
                self._take(line)
            elif len(self._line) < _LINE_AT_MOST:
                self._line += char.encode()  # a list of them takes four times the heap
            if not self._poll.poll(0):
                return

    def _take(self, line):
        try:
            request = json.loads(line.decode())
            number, do, given = request.get("id"), request["do"], request.get("with", {})
        except (ValueError, KeyError, AttributeError):
            self._say({"id": None, "ok": False, "code": 2, "what": "not a request"})
            return
        try:
            self._do(number, do, given)
        except AgentError as error:
            code = 2 if isinstance(error, ConfigError) else 1
            self._say({"id": number, "ok": False, "code": code, "what": error.what,
                       "value": error.value, "remedy": error.remedy})

    def _do(self, number, do, given):
        if do == "status":
            self._say({"id": number, "ok": True, "is": self._agent.status()})
        elif do == "send":
            mid = self._agent.send(base64_bytes(given.get("payload", "")),
                                   given.get("properties", {}), given.get("mid", ""))
            self._say({"id": number, "ok": True, "is": {"mid": mid}})
        elif do == "stop":
            self._agent.stop()
            self._say({"id": number, "ok": True, "is": {}})
        elif do in self._words:
            self._say({"id": number, "ok": True, "is": self._words[do](given)})
        else:
            self._ask(number, do, given)

    def _ask(self, number, do, given):
        from .orders import WORDS

        if do not in WORDS:
            raise ConfigError("no such request", do, "give one of status, send, stop, "
                              + ", ".join(WORDS))
        self._agent.ask(do, given, lambda about: self._answer(number, about))

    def _answer(self, number, about):
        tree = {key: about[key] for key in about if key != "ask_id"}
        tree["id"] = number
        self._say(tree)

    def _say(self, tree):
        json.dump(tree, sys.stdout)  # in pieces: a status has no room in a small heap
        print()
