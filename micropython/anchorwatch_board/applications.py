"""The firmware's own functions: they answer direct methods, take cloud-to-device messages and the
desired properties.

Rule: they run on the agent's loop, so a long one holds it; one that raises is answered for.
"""

from anchorwatch.core.events import Asked
from anchorwatch.errors import plain

NOBODY = (404, {"what": "no program on the device serves this method"})
FAILED = 500


class Applications:
    """`methods` {name: function of the payload, returns (status, payload)}; `takes` {"c2d" or
    "desired": [functions of what came]}; post(event) asks the core."""

    def __init__(self, post, warn):
        self._post, self._warn = post, warn
        self.methods = {}
        self.takes = {"c2d": [], "desired": []}

    def told(self, name, about):
        """Tell("method" | "c2d" | "desired"): to who serves it."""
        if name == "method":
            self._call(about)
        for function in self.takes.get(name, ()):
            self._guarded(function, about)

    def _call(self, about):
        function = self.methods.get(about["name"])
        status, payload = NOBODY
        if function is not None:
            found = self._guarded(function, about.get("payload"))
            status, payload = found or (FAILED, {"what": "the method failed on the device"})
        arguments = {"rid": about["rid"], "status": status, "payload": payload, "by": "driver"}
        self._post(Asked("reply", arguments, ""))

    def _guarded(self, function, given):
        """What it returns; None, and a warning, if it raises."""
        try:
            return function(given)
        except Exception as error:
            self._warn("a function of the firmware failed", plain("%s: %s" % (
                type(error).__name__, error)), "correct it")
            return None
