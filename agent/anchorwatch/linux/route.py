"""The way to a host: straight to its addresses, or through the proxy that is named.

Rule: a proxy resolves names itself, so the name goes to it as it is; only what [resolve] says of a
name is looked up here, because it was written down for this device.
"""

from .patience import Patience
from .tcp import connect


class Route:
    """`connect_s` is for each step: TCP, and a proxy's answer."""

    def __init__(self, resolver, proxy_auth_file: str, connect_s: float) -> None:
        self._resolver, self._connect_s = resolver, connect_s
        self._proxy_auth_file = proxy_auth_file

    @property
    def proxy(self):
        """What speaks to a proxy; a device without one does without."""
        from .proxy import Proxy

        return Proxy(self._resolver, self._proxy_auth_file)

    def places(self, proxy: str, host: str, port: int) -> list[tuple[str, int]]:
        """Where to try, in this order: (address, or the name for a proxy; port)."""
        if not proxy:
            found: list[tuple[str, int]] = self._resolver.addresses(host, port)
            return found
        return self._resolver.listed(host, port) or [(host, port)]

    def connect(self, proxy: str, address: str, port: int, patience: Patience):
        """A connected socket, non-blocking; LinkError."""
        reached = patience.at_most(self._connect_s)
        if not proxy:
            return connect(address, port, reached)
        answered = patience.at_most(2 * self._connect_s)
        return self.proxy.tunnel(proxy, address, port, reached, answered)
