"""What leaves the device: links, times and look-ups, mirrors; made once, of one configuration.

Rule: all of them dial by the same names and through the same proxy.
"""

from ..core import actions
from .clock import Times, now_ms
from .dial import Dialer
from .links import Links
from .resolve import Resolver
from .shortrecords import ShortRecords


class Outward:
    """`links`, and `performers` of every action that leaves the device; `dialer` for others.

    layers, bundles, slots  where certificates and keys are; outbox  the telemetry queue
    inside  (selector, errands, post) of the loop; warn  called with (what, value, remedy)
    """

    def __init__(self, config, layers, bundles, slots, outbox, inside, warn) -> None:
        selector, errands, post = inside
        resolver = Resolver(config.resolve.lines, config.resolve.resolve_file or None)
        proxy, proxy_auth_file = config.mqtt.proxy, config.mqtt.proxy_auth_file
        records = ShortRecords(config.state.dir)

        self.dialer = Dialer(resolver, layers.der_of, slots.files, release=slots.release,
                             proxy_auth_file=proxy_auth_file, records=records,
                             own_roots={"est": config.est.anchors_file})
        self.links = Links(selector, errands, self.dialer, outbox, config.mqtt.in_flight, now_ms,
                           warn)
        times = Times(errands, self.dialer, resolver, config.clock.sntp, post)
        self._fetcher = None
        self._for_fetcher = (config.device.cloud, errands, resolver, bundles, layers.learn, post,
                             now_ms, proxy, proxy_auth_file, vars(config.tls.mirror), records)
        self.perform = {actions.Fetch: self._fetch}
        self.performers = (self.links, times, self)

    def _fetch(self, order) -> None:
        """Most devices see no bundle for months."""
        if self._fetcher is None:
            from .fetch import Fetcher

            self._fetcher = Fetcher(*self._for_fetcher)
        self._fetcher.fetch(order)
