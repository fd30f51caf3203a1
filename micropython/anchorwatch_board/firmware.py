"""What the firmware around the agent may do with it.

Rule: what is asked for is done on the loop, and nothing here waits longer than it was told.
"""

from anchorwatch.core.events import Asked, Stop, Woke
from anchorwatch.loop import turn


class Firmware:
    """The part of Agent that applications call; see agent.py."""

    def turn(self, most_ms=0):
        """For firmware with a loop of its own, instead of run(): what is due, after a wait of at
        most so long. False once the agent has ended; what is raised here has ended it.

            while agent.turn():
                await asyncio.sleep_ms(50)
        """
        try:
            return self._turned(self._now_ms() + most_ms)
        except Exception as error:
            self._remember(error)
            self._links.stop()
            raise

    def _turned(self, until_ms):
        if self._perform is None:
            event, self._perform = self.begin(), self._performers()
        else:
            wake_at = self._watch.wake_at
            self._wait(until_ms if wake_at is None else min(until_ms, wake_at), self._now_ms())
            event = self._take()
        while event is not None:
            turn(self._watch, self._perform, event, self._now_ms())
            if isinstance(event, Stop):
                self._links.stop()
                return False
            event = self._take()
            if event is None and self._watch.wake_at is not None:
                event = Woke() if self._watch.wake_at <= self._now_ms() else None
        return True

    def stop(self):
        """Send what is queued, for at most `mqtt.drain_s`, and end."""
        self._stop_by_ms = self._now_ms() + 1000 * self._config.mqtt.drain_s

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
        from .orders import arguments

        checked = arguments(what, given, self._layers)
        self._asked += 1
        ask_id = "s%d" % self._asked
        self._answers[ask_id] = answered
        self.post(Asked(what, dict(checked, by="operator"), ask_id))
