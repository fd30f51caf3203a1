"""The operator's calls about devices and enrollments, as the services' back ends offer them.

Each takes the cloud and a request with its JSON body, and returns what is answered as JSON. Raises
BadRequest: what, with which value, what to do.
"""

import asyncio
import json

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from . import enrollment, registry
from .asked import body_of, take
from .cloud import Cloud
from .http1 import Request
from .hub import IotHub
from .refusal import BadRequest


async def devices(cloud: Cloud, request: Request) -> dict:
    shown = {}
    for name, hub in cloud.hubs.items():
        connected = set(hub.connected_devices())
        shown[name] = [
            {**made.shown(), "connected": made.device_id in connected}
            for made in hub.registry.all()
        ]
    return shown


async def put_device(cloud: Cloud, request: Request) -> dict:
    made_of = body_of(request)
    hub = hub_named(cloud, made_of.pop("hub", "hub"))
    made = registry.from_json(made_of)
    hub.put_device(made, cloud.clock.now_ms())
    return made.shown()


async def change_device(cloud: Cloud, request: Request, device_id: str) -> dict:
    made_of = body_of(request)
    hub = hub_of(cloud, request, device_id)
    made = hub.registry.get(device_id)
    if made is None:
        raise BadRequest("no such device", device_id, "GET /devices lists them")
    changed = registry.from_json({**vars(made), **made_of, "device_id": device_id})
    hub.put_device(changed, cloud.clock.now_ms())
    return changed.shown()


async def delete_device(cloud: Cloud, request: Request, device_id: str) -> dict:
    hub_of(cloud, request, device_id).delete_device(device_id, cloud.clock.now_ms())
    return {}


async def drop(cloud: Cloud, request: Request, device_id: str) -> dict:
    reason = take(body_of(request), "reason", str, "dropped by the operator")
    hub_of(cloud, request, device_id).drop(device_id, reason, cloud.clock.now_ms())
    return {}


async def method(cloud: Cloud, request: Request, device_id: str) -> dict:
    """Waits for the device's reply, as the service API does."""
    made_of = body_of(request)
    timeout_s = take(made_of, "timeout_s", int, 30)
    outcome: asyncio.Future = asyncio.get_running_loop().create_future()
    payload = json.dumps(made_of["payload"]).encode() if "payload" in made_of else b""
    hub_of(cloud, request, device_id).invoke_method(
        device_id, take(made_of, "name", str), payload, cloud.clock.now_ms(),
        timeout_s=timeout_s, done=lambda result: outcome.done() or outcome.set_result(result),
    )  # fmt: skip
    return await outcome


async def c2d(cloud: Cloud, request: Request, device_id: str) -> dict:
    made_of = body_of(request)
    payload = take(made_of, "payload", str).encode()
    properties = take(made_of, "properties", dict, {})
    hub = hub_of(cloud, request, device_id)
    return {"mid": hub.send_c2d(device_id, payload, properties, cloud.clock.now_ms())}


async def twin(cloud: Cloud, request: Request, device_id: str) -> dict:
    return hub_of(cloud, request, device_id).twin(device_id).shown()


async def patch_twin(cloud: Cloud, request: Request, device_id: str) -> dict:
    patch = take(body_of(request), "desired", dict)
    hub = hub_of(cloud, request, device_id)
    return {"version": hub.patch_desired(device_id, patch, cloud.clock.now_ms())}


async def enrollments(cloud: Cloud, request: Request) -> dict:
    return {"enrollments": [made.shown() for made in cloud.dps.enrollments.all()]}


async def put_enrollment(cloud: Cloud, request: Request) -> dict:
    made = enrollment.from_json(with_hub_and_der(cloud, body_of(request)))
    cloud.dps.enrollments.put(made)
    cloud.note("enrollment", enrollment=made.enrollment_id, hub=made.hub, enabled=made.enabled)
    return made.shown()


async def change_enrollment(cloud: Cloud, request: Request, enrollment_id: str) -> dict:
    """Change some fields: the hub (then the device moves when it registers), the spare key, …"""
    known = cloud.dps.enrollments.get(enrollment_id)
    changed = with_hub_and_der(cloud, body_of(request))
    made = enrollment.from_json({**vars(known), **changed, "enrollment_id": known.enrollment_id})
    cloud.dps.enrollments.put(made)
    cloud.note("enrollment", enrollment=made.enrollment_id, hub=made.hub, enabled=made.enabled)
    return made.shown()


async def delete_enrollment(cloud: Cloud, request: Request, enrollment_id: str) -> dict:
    cloud.dps.enrollments.remove(enrollment_id)
    return {}


def hub_named(cloud: Cloud, name: object) -> IotHub:
    """A hub by its short name or its host."""
    for short, hub in cloud.hubs.items():
        if name == short or name in hub.hosts:
            return hub
    raise BadRequest("no such hub", name, f"one of {', '.join(cloud.hubs)}, or a host name")


def hub_of(cloud: Cloud, request: Request, device_id: str) -> IotHub:
    """The hub that ?hub= names; else where the device is connected; else where it is known."""
    if "hub" in request.query:
        return hub_named(cloud, request.query["hub"])
    hubs = list(cloud.hubs.values())
    having = [hub for hub in hubs if hub.registry.get(device_id)]
    online = [hub for hub in having if device_id in hub.connected_devices()]
    return (online or having or hubs)[0]


def with_hub_and_der(cloud: Cloud, made_of: dict) -> dict:
    """The body with "hub2" as its host and certificates, sent as PEM, as DER."""
    changed = dict(made_of)
    if changed.get("hub") in cloud.hubs:
        changed["hub"] = cloud.hubs[changed["hub"]].hosts[0]
    for name in ("primary", "secondary"):
        value = changed.get(name)
        if isinstance(value, str) and "-----BEGIN" in value:
            changed[name] = der_of(value, name)
    return changed


def der_of(text: str, name: str) -> bytes:
    """The first certificate of a PEM text."""
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        raise BadRequest("not a certificate in PEM", name, "send the text of the .pem") from None
    return certificate.public_bytes(serialization.Encoding.DER)
