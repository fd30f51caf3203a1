"""What the operator of the emulated cloud can do, one function for each line of the table.

Each takes the cloud and a request with its JSON body, and returns what is answered as JSON. Raises
BadRequest: what, with which value, what to do.
"""

import base64

from . import backoffice, certoffice
from .asked import body_of, take
from .attacks import Attack
from .cloud import Cloud
from .endpoint import PORT_NAMES
from .http1 import Request
from .refusal import BadRequest
from .tlspolicy import POLICIES

MIRROR_DEEDS = "release", "rotate", "attack"
ATTACK_FIELDS = "file", "every_ms", "after", "to", "version"


async def journal(cloud: Cloud, request: Request) -> dict:
    since = request.query.get("since", "0")
    if not since.isdigit():
        raise BadRequest("since is not a number", since, "give the last n that you have")
    return {"now_ms": cloud.clock.now_ms(), "rows": cloud.journal.since(int(since))}


async def services(cloud: Cloud, request: Request) -> dict:
    return {name: endpoint.shown() for name, endpoint in cloud.endpoints.items()}


async def chain(cloud: Cloud, request: Request, service: str) -> dict:
    made_of = body_of(request)
    name, new_leaf = take(made_of, "name", str), take(made_of, "new_leaf", bool, False)
    shown = await cloud.present(service, name, new_leaf)
    cloud.note("chain", of=service, name=name, leaf=shown.leaf_sha256())
    return {"name": name, "leaf": shown.leaf_sha256(), "root": f"roots/{shown.root}.pem"}


async def policy(cloud: Cloud, request: Request, service: str) -> dict:
    name = take(body_of(request), "name", str)
    if name not in POLICIES:
        raise BadRequest("no such TLS policy", name, f"one of {', '.join(POLICIES)}")
    cloud.endpoints[service].presented.change(policy=name)
    cloud.note("policy", of=service, name=name)
    return {"name": name}


async def listen(cloud: Cloud, request: Request, service: str) -> dict:
    made_of = body_of(request)
    up, cut = take(made_of, "up", bool), take(made_of, "cut", bool, True)
    freeze = take(made_of, "freeze", bool, False)
    address, only = take(made_of, "address", str, None), take(made_of, "only", str, None)
    if only is not None and (only not in PORT_NAMES or address is not None):
        raise BadRequest("not one of its ports", only, "mqtt or https, and no address beside it")
    await cloud.listen(service, up, address, cut, freeze, only)
    cloud.note("listen", of=service, up=up, address=address, freeze=freeze, only=only)
    return cloud.endpoints[service].shown()


async def faults(cloud: Cloud, request: Request) -> dict:
    return {"faults": [fault.shown() for fault in cloud.faults.waiting()]}


async def add_fault(cloud: Cloud, request: Request) -> dict:
    made_of = body_of(request)
    name = take(made_of, "name", str)
    added = cloud.faults.add(**made_of)
    cloud.note("fault scripted", name=name)
    return added.shown()


async def clear_faults(cloud: Cloud, request: Request) -> dict:
    cloud.faults.clear(request.query.get("name"))
    return await faults(cloud, request)


async def clock(cloud: Cloud, request: Request) -> dict:
    made_of = body_of(request)
    names = ("offset_s", "sntp_offset_s", "date_offset_s")
    for name in made_of:
        if name not in names:
            raise BadRequest("the clock has no such field", name, f"it has {', '.join(names)}")
    for name in names:
        setattr(cloud.clock, name, take(made_of, name, int, getattr(cloud.clock, name)))
    return {name: getattr(cloud.clock, name) for name in names}


async def quota(cloud: Cloud, request: Request) -> dict:
    """How many registrations a minute DPS takes; null: any number, as at the start."""
    value = take(body_of(request), "registrations_a_minute", (int, type(None)))
    if value is not None and value < 1:
        raise BadRequest("not a quota", value, "a whole number from 1, or null")
    cloud.dps.quota.a_minute = value
    cloud.note("quota", of="dps", registrations_a_minute=value)
    return {"registrations_a_minute": value}


async def resolve(cloud: Cloud, request: Request) -> dict:
    if request.method == "POST":
        lines = body_of(request)
        cloud.names.change(lines)
        cloud.note("resolve", lines=lines)
    return cloud.names.lines


async def connections(cloud: Cloud, request: Request) -> dict:
    return {
        name: {"records": hub.records.rows, "connected": hub.connected_devices()}
        for name, hub in cloud.hubs.items()
    }


async def mirror(cloud: Cloud, request: Request) -> dict:
    return {**cloud.endpoints["mirror"].shown(), "url": cloud.mirror_url(), **cloud.mirror.shown()}


async def change_mirror(cloud: Cloud, request: Request) -> dict:
    """Publish a release, hand a key over, or attack: one of them."""
    made_of = body_of(request)
    deeds = [name for name in made_of if name in MIRROR_DEEDS]
    if len(deeds) != 1:
        raise BadRequest("not one thing to do", sorted(made_of), f"one of {MIRROR_DEEDS}")
    if deeds != ["attack"] and len(made_of) > 1:
        raise BadRequest("fields that only an attack has", sorted(made_of), "send the deed alone")
    if "release" in made_of:
        await cloud.publish(take(made_of, "release", dict))
    elif "rotate" in made_of:
        cloud.mirror.vendor.rotate(take(made_of, "rotate", str))
    else:
        await cloud.assault(_attack(made_of))
    cloud.note("mirror", **made_of, versions=dict(cloud.mirror.vendor.versions))
    return await mirror(cloud, request)


def _attack(made_of: dict) -> Attack | None:
    """null: none."""
    known = ("attack", *ATTACK_FIELDS)
    for name in made_of:
        if name not in known:
            raise BadRequest("an attack has no such field", name, f"it has {', '.join(known)}")
    if made_of["attack"] is None:
        return None
    return Attack(
        take(made_of, "attack", str), take(made_of, "file", str, ""),
        take(made_of, "every_ms", int, Attack.every_ms), take(made_of, "after", int, Attack.after),
        take(made_of, "to", str, ""), take(made_of, "version", int, Attack.version),
    )  # fmt: skip


async def mirror_files(cloud: Cloud, request: Request) -> dict:
    """What the mirror serves now, also when forged, for those who carry it another way."""
    files = cloud.mirror.files()
    return {"files": {name: base64.b64encode(files[name]).decode() for name in files}}


TABLE = (
    # method  path; a word in capitals stands for any segment    does
    ("GET",    "/journal",                journal),
    ("GET",    "/services",               services),
    ("POST",   "/SERVICE/chain",          chain),
    ("POST",   "/SERVICE/policy",         policy),
    ("POST",   "/SERVICE/listen",         listen),
    ("GET",    "/mirror",                 mirror),
    ("POST",   "/mirror",                 change_mirror),
    ("GET",    "/mirror/files",           mirror_files),
    ("GET",    "/devices",                backoffice.devices),
    ("POST",   "/devices",                backoffice.put_device),
    ("POST",   "/devices/ID",             backoffice.change_device),
    ("DELETE", "/devices/ID",             backoffice.delete_device),
    ("POST",   "/devices/ID/drop",        backoffice.drop),
    ("POST",   "/devices/ID/method",      backoffice.method),
    ("POST",   "/devices/ID/c2d",         backoffice.c2d),
    ("GET",    "/devices/ID/twin",        backoffice.twin),
    ("POST",   "/devices/ID/twin",        backoffice.patch_twin),
    ("GET",    "/enrollments",            backoffice.enrollments),
    ("POST",   "/enrollments",            backoffice.put_enrollment),
    ("POST",   "/enrollments/ID",         backoffice.change_enrollment),
    ("DELETE", "/enrollments/ID",         backoffice.delete_enrollment),
    ("GET",    "/SERVICE/certificates",   certoffice.certificates),
    ("POST",   "/SERVICE/certificates",   certoffice.upload),
    ("DELETE", "/SERVICE/certificates/NAME",        certoffice.remove),
    ("POST",   "/SERVICE/certificates/NAME/code",   certoffice.code),
    ("POST",   "/SERVICE/certificates/NAME/verify", certoffice.verify),
    ("GET",    "/tenant",                 certoffice.tenant),
    ("POST",   "/tenant",                 certoffice.change_tenant),
    ("POST",   "/tenant/register",        certoffice.register_tenant),
    ("GET",    "/tenant/certificates/ID",           certoffice.tenant_certificate),
    ("GET",    "/tenant/certificates/ID/proof",     certoffice.proof),
    ("GET",    "/namespace",              certoffice.namespace),
    ("POST",   "/namespace/policies",     certoffice.put_policy),
    ("POST",   "/namespace/revoke/ID",    certoffice.revoke),
    ("GET",    "/est",                    certoffice.est),
    ("POST",   "/est",                    certoffice.change_est),
    ("POST",   "/issue",                  certoffice.issue),
    ("GET",    "/faults",                 faults),
    ("POST",   "/faults",                 add_fault),
    ("DELETE", "/faults",                 clear_faults),
    ("POST",   "/dps/quota",              quota),
    ("POST",   "/clock",                  clock),
    ("GET",    "/resolve",                resolve),
    ("POST",   "/resolve",                resolve),
    ("GET",    "/connections",            connections),
)  # fmt: skip
