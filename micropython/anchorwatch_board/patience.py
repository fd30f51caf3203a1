"""How long an errand may wait, and what it waits for.

Rule: every wait of an errand is `yield from patience.wait(...)`, and ends by this deadline.
"""

from anchorwatch.errors import LinkError


class Patience:
    """A deadline; now_ms  the driver's monotonic clock."""

    def __init__(self, for_ms, now_ms):
        self.now_ms = now_ms
        self.until_ms = now_ms() + for_ms

    def at_most(self, for_ms):
        """A nearer deadline."""
        return Patience(min(for_ms, self.left_ms), self.now_ms)

    @property
    def left_ms(self):
        """Milliseconds until the deadline, never negative."""
        return max(0, self.until_ms - self.now_ms())

    def wait(self, sock, event):
        """Until `sock` is ready; what poll says of it. LinkError(network, silent) at the end."""
        if self.left_ms:
            mask = yield sock, event, self.until_ms
            if mask:
                return mask
        raise LinkError("network", "silent", "", "check the line and the firewall")
