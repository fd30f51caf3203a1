"""What leaves the device: links, times and look-ups, mirrors; made once, of one configuration.

Rule: all of them dial by the same names.
"""

from anchorwatch.core import actions

from .clock import Times, now_ms
from .dial import Dialer
from .library import here
from .links import Links
from .resolve import Resolver


class Outward:
    """`links`, and `performers` of every action that leaves the device.

    layers, bundles, slots  where certificates and keys are; outbox  the telemetry queue
    inside  (selector, errands, post) of the loop; warn  called with (what, value, remedy)
    """

    def __init__(self, config, layers, bundles, slots, outbox, inside, port, warn):
        selector, errands, post = inside
        resolver = Resolver(config.resolve.lines, config.resolve.resolve_file or None,
                            lambda: port.bring_up_network(config))
        dialer = Dialer(resolver, layers.der_of, slots.files, port, here(), now_ms)
        second = port.facts["second_session"]
        self.links = Links(selector, errands, dialer, outbox, config.mqtt.in_flight, now_ms, warn,
                           second)

        def crowded():
            return not second and self.links.open

        times = Times(errands, dialer, resolver, config.clock.sntp, port, post, crowded)
        self._fetcher = None
        self._for_fetcher = (config.device.cloud, errands, resolver, bundles, layers.learn,
                             config.tls.mirror, post, crowded, port.feed)
        self.perform = {actions.Fetch: self._fetch}
        self.performers = (self.links, times, self)

    def _fetch(self, order):
        """Most devices see no bundle for months."""
        if self._fetcher is None:
            from .fetch import Fetcher

            self._fetcher = Fetcher(*self._for_fetcher)
        self._fetcher.fetch(order)
