"""A CONNECT proxy on the way: asked for a tunnel to one place, before TLS begins.

Rule: it is believed a yes or a no, and nothing else; who is behind it is judged by TLS. Its
credentials are read from their file for each request and stand in no error.

Source: RFC 9110 sections 9.3.6 and 11.7; RFC 7617.
"""

import binascii

from ..errors import ConfigError, LinkError, MalformedMessage
from ..wire import http
from . import waiting
from .keyfiles import read_proxy_auth
from .patience import Patience
from .tcp import connect

# Of a proxy's answer; every other one is "proxy-failed". Debian's tinyproxy says 401 to a password
# that is wrong, and 407 only to none.
_CREDENTIALS = ("policy", "proxy-credentials")
ANSWERS = {401: _CREDENTIALS, 403: ("network", "proxy-forbids"), 407: _CREDENTIALS}
_PIECE = 4096


class Proxy:
    """`resolver` finds its address; `auth_file` holds USER:PASSWORD, "" for none."""

    def __init__(self, resolver, auth_file: str) -> None:
        self._resolver, self._auth_file = resolver, auth_file

    def reach(self, proxy: str, patience: Patience):
        """A connected socket to the proxy itself; LinkError(network, proxy-unreachable)."""
        authority = proxy.rpartition("/")[2]
        host, _, port = authority.rpartition(":")
        failed = LinkError("network", "name-unknown", authority)
        try:
            for place in self._resolver.addresses(host.strip("[]"), int(port)):
                try:
                    return connect(*place, patience)
                except LinkError as error:
                    failed = error
        except LinkError as error:
            failed = error
        if patience.cancelled:
            raise failed
        raise LinkError("network", "proxy-unreachable", "%s (%s)" % (authority, failed.verdict),
                        "check mqtt.proxy and the way to it") from failed

    def headers(self) -> dict[str, str]:
        """Proxy-Authorization, where there are credentials; LinkError for a file that has none."""
        if not self._auth_file:
            return {}
        try:
            pair = read_proxy_auth(self._auth_file).strip(b"\r\n")
        except ConfigError as error:
            raise LinkError("policy", "proxy-credentials", error.value, error.remedy) from error
        if b":" not in pair or [byte for byte in pair if byte < 32 or byte == 127]:
            raise LinkError("policy", "proxy-credentials", self._auth_file,
                            "write USER:PASSWORD into it, one line")
        return {"Proxy-Authorization": "Basic " + binascii.b2a_base64(pair).strip().decode()}

    def tunnel(self, proxy: str, host: str, port: int, reached: Patience, answered: Patience):
        """A socket through the proxy to a name or an address; LinkError, and nothing is left open.

        reached, answered  how long TCP to the proxy may take, and its answer
        """
        to = "%s:%d" % ("[%s]" % host if ":" in host else host, port)
        headers = self.headers()
        sock = self.reach(proxy, reached)
        try:
            waiting.send(sock, http.request("CONNECT", to, to, headers, connection=""), answered)
            status = _status(sock, answered)
        except (LinkError, MalformedMessage) as error:
            sock.close()
            if answered.cancelled:
                raise
            why = error.verdict if isinstance(error, LinkError) else error.reason
            raise LinkError("network", "proxy-failed", "%s: %s" % (to, why)) from error
        if not 200 <= status < 300:
            sock.close()
            raise refused(status, to)
        return sock


def refused(status: int, to: str) -> LinkError:
    """What a proxy's no means."""
    fault, verdict = ANSWERS.get(status, ("network", "proxy-failed"))
    return LinkError(fault, verdict, "%s, status %d" % (to, status))


def _status(sock, patience: Patience) -> int:
    """Of the proxy's answer; behind a yes comes nothing, since TLS begins with us."""
    raw = b""
    while True:
        found = http.head(raw)
        if found is None:
            data = waiting.receive(sock, _PIECE, patience)
            if not data:
                raise LinkError("network", "cut")
            raw += data
            continue
        status, _, raw = found
        if 200 <= status < 300 and raw:
            raise MalformedMessage("proxy speaks where the server should")
        if status >= 200:
            return status
