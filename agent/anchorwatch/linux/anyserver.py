"""`anchorwatch check --host ...`: one server, named on the command line, step by step.

Rule: no agent and no configuration is needed; where one is named, the options are laid over it. The
steps are those of any check, and the dial is the agent's own.
"""

import ipaddress
import os
import socket
import time

from ..config import CLOUDS, Config
from ..core.actions import Dial
from ..core.events import ClockSet
from ..errors import ConfigError, plain
from ..values import address_problem, host_problem
from .check import Check
from .clock import now_ms
from .credential import absent
from .dial import Dialer
from .launch import CONFIG
from .resolve import Resolver
from .steps import Steps
from .toml import load

_NO_STATE = {"dir": os.devnull}
_NOBODY = "host.invalid"  # what is dialled is put into the order, where an address will do too


def checked(given) -> list[dict]:
    """The rows for the server that the arguments name.

    Raises  ConfigError: an option, the roots, or the configuration that they are laid over
    """
    endpoint = given.endpoint or "hub"
    places = [] if given.address is None else _places(given.address)
    host = _host(given)
    bare = given.config == CONFIG and (host != "" or not os.path.exists(CONFIG))
    tree, folder = ({}, "") if bare else load(given.config)
    if bare:
        host = host or _usual_host(endpoint)
        tree = {"device": {"device_id": "nobody"}, "mqtt": {"mode": "watch"},
                "hub": {"host": _NOBODY}, "state": _NO_STATE}  # fmt: skip
    config = Config(_laid_over(tree, endpoint, given), folder)
    check = Check(config)
    check.begin(absent())
    check.watch.handle(ClockSet(int(time.time()), "rtc"), now_ms())
    order = _order(check.watch, endpoint, host, places)
    dialer = Dialer(_resolver(config.resolve, order, places), check.layers.der_of,
                    lambda slot: None, proxy_auth_file=config.mqtt.proxy_auth_file)
    Steps(dialer, check.layers.der_of, check.watch.trust, check.found).check(order)
    without = "state" if config.state.dir == os.devnull else ""
    return [row for row in check.found.rows if row["check"] != without]


def _laid_over(tree: dict, endpoint: str, given) -> dict:
    """The tree of a configuration with what the options say of TLS and trust."""
    tls = dict(tree.get("tls", {}))
    about = dict(tls.get(endpoint, {}))
    if given.suites is not None:
        about["suites"] = given.suites
    if given.max_fragment is not None:
        about.update(_fragment(given.max_fragment))
    tls[endpoint] = about
    trust = dict(tree.get("trust", {}))
    if given.roots is not None:
        folder = os.path.abspath(given.roots)
        trust.update(factory_dir=folder, site_dir=os.devnull, system=False)
        return {**tree, "tls": tls, "trust": trust, "state": _NO_STATE}
    return {**tree, "tls": tls, "trust": trust}


def _fragment(text: str) -> dict:
    """`512:require`, `512` (prefer) or `off`."""
    size, _, wish = text.partition(":")
    if text == "off":
        return {"max_fragment": "off"}
    if not (size.isascii() and size.isdigit() and len(size) <= 5) or wish == "off":
        raise ConfigError("--max-fragment cannot be this", text, "give 512:require, 512 or off")
    return {"max_fragment_bytes": int(size), "max_fragment": wish or "prefer"}


def _host(given) -> str:
    """The name, or the address that stands for it; "" for none."""
    if given.host is None:
        return "" if given.address is None else given.address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(given.host).compressed
    except ValueError:
        if host_problem(given.host):
            raise ConfigError("--host cannot be this", given.host,
                              "give the server's name or address, without a port") from None
        return str(given.host)


def _usual_host(endpoint: str) -> str:
    if endpoint != "dps":
        raise ConfigError("no server is named", "", "give --host NAME, or --config PATH")
    return CLOUDS["global"][0]


def _places(text: str) -> list[str]:
    """["ADDR:PORT"] of an address or a name with a port."""
    remedy = "give --address ADDR:PORT, and the server's name in --host"
    if address_problem(text):
        raise ConfigError("--address cannot be this", text, remedy)
    host, _, port = text.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except OSError as error:
        shown = "%s (%s)" % (text, plain(error.strerror))
        raise ConfigError("--address leads nowhere", shown, remedy) from error
    return ["[%s]:%d" % place[:2] if ":" in place[0] else "%s:%d" % place[:2]
            for *_, place in found]  # fmt: skip


def _order(watch, endpoint: str, host: str, places: list[str]) -> Dial:
    """The probe that an agent would make, to the host that was asked for."""
    near = endpoint if endpoint in watch.trust.endpoints else watch.trust.endpoints[0]
    made = watch.device.dial("next", near, True, now_ms())
    fields = {name: getattr(made, name) for name in Dial.fields}
    fields.update(endpoint=endpoint, host=host or made.host, profile=watch.device.profile(endpoint))
    if places:
        fields.update(proxy="", transport="mqtt")
    if not fields["host"] or (near != endpoint and not host):
        raise ConfigError("no server is named", "", "give --host NAME")
    return Dial(**fields)


def _resolver(resolve, order: Dial, places: list[str]) -> Resolver:
    if places:
        return Resolver({"%s:%d" % (order.host, order.port): places}, None)
    return Resolver(resolve.lines, resolve.resolve_file or None)
