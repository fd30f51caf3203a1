"""What the firmware around the agent may do with it.

Rule: nothing here waits; what is asked for is done on the loop.
"""

from anchorwatch.core.events import Asked

from .clock import now_ms
from .orders import arguments


class Firmware:
    """The part of Agent that applications call; see agent.py."""

    def stop(self):
        """Send what is queued, for at most `mqtt.drain_s`, and end."""
        self._stop_by_ms = now_ms() + 1000 * self._config.mqtt.drain_s

    def send(self, payload, properties=None, mid=""):
        """Queue one message; its id. ConfigError: a property that no topic can hold."""
        return self._telemetry.put(mid, properties or {}, payload)

    def method(self, name):
        """Decorates a function of the payload that returns (status, payload)."""

        def keep(function):
            self._applications.methods[name] = function
            return function

        return keep

    def on_twin(self, function):
        """Call it with what came of the desired properties."""
        self._applications.takes["desired"].append(function)
        return function

    def on_message(self, function):
        """Call it with each cloud-to-device message."""
        self._applications.takes["c2d"].append(function)
        return function

    def ask(self, what, given, answered):
        """What an operator may ask, see orders.py; answered(answer) when it is known.

        Raises  ConfigError, TrustError: what is given is not what it takes
        """
        checked = arguments(what, given, self._layers)
        self._asked += 1
        ask_id = "s%d" % self._asked
        self._answers[ask_id] = answered
        self.post(Asked(what, dict(checked, by="operator"), ask_id))
