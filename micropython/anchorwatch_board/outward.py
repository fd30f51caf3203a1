"""What leaves the device: links, times and look-ups, mirrors; made once, of one configuration.

Rule: all of them dial by the same names.
"""

from anchorwatch.core import actions

from .clock import Times
from .dial import Dialer
from .library import here
from .links import Links
from .memory import Reserve
from .resolve import Resolver

# The library's buffer for what goes out, as MicroPython has it everywhere; heads of both buffers.
_BESIDE = 4096 + 1024


class Outward:
    """`links`, and `performers` of every action that leaves the device.

    layers, bundles, slots  where certificates and keys are; outbox  the telemetry queue
    inside  (selector, errands, post, now_ms) of the loop; warn  called with (what, value, remedy)
    """

    def __init__(self, config, layers, bundles, slots, outbox, inside, port, warn):
        selector, errands, post, now_ms = inside
        resolver = Resolver(config.resolve.lines, config.resolve.resolve_file or None,
                            lambda: port.bring_up_network(config))
        second, library = port.facts["second_session"], here()
        self._reserve = Reserve(0 if second else _buffers(port, library))
        dialer = Dialer(resolver, layers.der_of, slots.files, port, library, now_ms, self._reserve)
        self.links = Links(selector, errands, dialer, outbox, config.mqtt.in_flight, now_ms, warn,
                           second)

        def crowded():
            return not second and self.links.open

        times = Times(errands, dialer, resolver, config.clock.sntp, port, post, crowded)
        self._fetcher = None
        self._for_fetcher = (config.device.cloud, errands, resolver, bundles, layers.learn,
                             config.tls.mirror, post, crowded, port.feed, now_ms,
                             self._reserve)
        self.perform = {actions.Fetch: self._fetch}
        self.performers = (self.links, times, self)

    def _fetch(self, order):
        """Most devices see no bundle for months."""
        if self._fetcher is None:
            from .fetch import Fetcher

            self._fetcher = Fetcher(*self._for_fetcher)
        self._fetcher.fetch(order)


def _buffers(port, library):
    """Bytes of the heap that both buffers of a session take."""
    return (library.in_bytes or port.facts["tls_in_bytes"]) + _BESIDE if port.tls_in_heap else 0
