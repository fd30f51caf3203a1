"""Lets an unmodified Python client find the emulated cloud: names to loopback addresses.

Python imports a `sitecustomize` from its path at start. Put this folder on PYTHONPATH and the table
into HIL_CLOUD_NAMES, as JSON: {"hub-1.azure-devices.net": "127.9.9.2"}. Other names stay.
"""

import json
import os
import socket

_addresses = json.loads(os.environ.get("HIL_CLOUD_NAMES", "{}"))
_getaddrinfo = socket.getaddrinfo


def _mapped(host, *more, **named):
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    return _getaddrinfo(_addresses.get(name, host), *more, **named)


socket.getaddrinfo = _mapped
