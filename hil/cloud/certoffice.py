"""The operator's calls about certificates: CAs at hubs and DPS, tenant CA, namespace, EST.

Each takes the cloud and a request with its JSON body, and returns what is answered as JSON. Raises
BadRequest: what, with which value, what to do.
"""

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from . import csr, identity, issuing
from .asked import body_of, take
from .backoffice import der_of
from .cacertificates import CaCertificates
from .cloud import Cloud
from .http1 import Request
from .refusal import BadRequest

TENANT_DEEDS = ("renew", "activate", "revoke", "leaf_s")
EST_RULES = ("needs", "key", "with_chain", "lines", "approval", "retry_after_s")


KINDS = {"needs": str, "key": (str, type(None)), "retry_after_s": int}


async def certificates(cloud: Cloud, request: Request, service: str) -> dict:
    return {"certificates": [made.shown() for made in _kept_by(cloud, service).all()]}


async def upload(cloud: Cloud, request: Request, service: str) -> dict:
    made_of, kept = body_of(request), _kept_by(cloud, service)
    name, verified = take(made_of, "name", str), take(made_of, "verified", bool, False)
    made = kept.upload(name, der_of(take(made_of, "pem", str), "pem"), verified)
    cloud.note("ca uploaded", of=service, name=name, verified=verified)
    return made.shown()


async def remove(cloud: Cloud, request: Request, service: str, name: str) -> dict:
    _kept_by(cloud, service).remove(name)
    cloud.note("ca removed", of=service, name=name)
    return {}


async def code(cloud: Cloud, request: Request, service: str, name: str) -> dict:
    return {"code": _kept_by(cloud, service).generate_code(name)}


async def verify(cloud: Cloud, request: Request, service: str, name: str) -> dict:
    proof = der_of(take(body_of(request), "pem", str), "pem")
    made = _kept_by(cloud, service).verify(name, proof)
    cloud.note("ca verified", of=service, name=name)
    return made.shown()


async def tenant(cloud: Cloud, request: Request) -> dict:
    made, now_ms = cloud.issuers.tenant, cloud.clock.now_ms()
    rows = made.certificates(now_ms)
    return {"tenant": made.tenant_id, "leaf_s": made.leaf_s, "certificates": rows}


async def change_tenant(cloud: Cloud, request: Request) -> dict:
    """Ahead of its time: the successor, its activation; or a revocation."""
    made_of, made, now_ms = body_of(request), cloud.issuers.tenant, cloud.clock.now_ms()
    for name in made_of:
        if name not in TENANT_DEEDS:
            raise BadRequest("the tenant has no such field", name, f"one of {TENANT_DEEDS}")
    if take(made_of, "renew", bool, False):
        made.renew(now_ms)
    if take(made_of, "activate", bool, False):
        made.activate(now_ms)
    if "revoke" in made_of:
        made.revoke(take(made_of, "revoke", str), now_ms)
    made.leaf_s = _seconds(made_of, "leaf_s", made.leaf_s)
    return await tenant(cloud, request)


async def tenant_certificate(cloud: Cloud, request: Request, thumbprint: str) -> dict:
    """Certificate and chain of "active", "newest", or of a thumbprint."""
    now_ms = cloud.clock.now_ms()
    made = cloud.issuers.tenant.get(thumbprint, now_ms)
    path = [identity.loaded(der) for der in made.authority.path]
    return {
        **made.shown(cloud.clock.utc_s(now_ms)),
        "pem": issuing.pem_of([made.der]),
        "p7b": pkcs7.serialize_certificates(path, Encoding.PEM).decode(),
    }


async def proof(cloud: Cloud, request: Request, thumbprint: str) -> dict:
    """?code=…: the proof of possession."""
    asked = request.query.get("code", "")
    if not 0 < len(asked) <= 64:
        raise BadRequest("no verification code", asked, "add ?code= and what the service gave")
    now_ms = cloud.clock.now_ms()
    made = cloud.issuers.tenant.proof_of_possession(asked, thumbprint, now_ms)
    return {"pem": issuing.pem_of([made])}


async def register_tenant(cloud: Cloud, request: Request) -> dict:
    """What an operator does: upload, code, proof, verify at hubs and DPS; then the group's entry.

    name, thumbprint ("newest"), services (all), enrollment and entry ("secondary") to put it into
    """
    made_of, now_ms = body_of(request), cloud.clock.now_ms()
    name, thumbprint = take(made_of, "name", str), take(made_of, "thumbprint", str, "newest")
    services = take(made_of, "services", list, [*cloud.hubs, "dps"])
    entry = take(made_of, "entry", str, "secondary")
    if entry not in ("primary", "secondary"):
        raise BadRequest("a group has no such entry", entry, "primary or secondary")
    for service in services:
        kept = _kept_by(cloud, service)
        made = cloud.issuers.register_tenant(kept, name, now_ms, thumbprint)
        cloud.note("ca verified", of=service, name=name)
    group = take(made_of, "enrollment", str, "")
    if group:
        setattr(cloud.dps.enrollments.get(group), f"{entry}_ca", name)
        cloud.note("enrollment", enrollment=group, entry=entry, ca=name)
    return made.shown()


async def namespace(cloud: Cloud, request: Request) -> dict:
    made = cloud.issuers.namespace
    return {**made.shown(), "pem": issuing.pem_of([made.credential.root()])}


async def put_policy(cloud: Cloud, request: Request) -> dict:
    """Create or change: name, days (90), keys ([]: any), life_s in place of days."""
    made_of = body_of(request)
    days, keys = take(made_of, "days", int, 90), take(made_of, "keys", list, [])
    name, made = take(made_of, "name", str), cloud.issuers.namespace
    policy = made.put_policy(name, cloud.clock.now_ms(), days, tuple(keys))
    policy.life_s = _seconds(made_of, "life_s", policy.life_s)
    cloud.issuers.est.authorities.setdefault(name, policy)
    return policy.shown()


async def revoke(cloud: Cloud, request: Request, device_id: str) -> dict:
    """All certificates of a device: its sessions end, and each older one is refused."""
    now_ms = cloud.clock.now_ms()
    cloud.issuers.namespace.revoke(device_id, now_ms)
    for hub in cloud.hubs.values():
        if device_id in hub.connected_devices():
            hub.drop(device_id, "certificates revoked", now_ms)
    return {}


async def est(cloud: Cloud, request: Request) -> dict:
    made = cloud.issuers.est
    return {
        **{name: getattr(made.rules, name) for name in EST_RULES},
        "leaf_s": cloud.issuers.own.life_s,
        "labels": sorted(made.authorities),
        "users": sorted(made.secrets),
        "trusted": sorted(made.trusted),
        "waiting": dict(made.waiting),
    }


async def change_est(cloud: Cloud, request: Request) -> dict:
    """Any rule, leaf_s, secrets and trusted (null takes one away), approve (SHA-256, or "*")."""
    made_of, made = body_of(request), cloud.issuers.est
    known = (*EST_RULES, "leaf_s", "secrets", "trusted", "approve")
    for name in made_of:
        if name not in known:
            raise BadRequest("EST has no such field", name, f"it has {', '.join(known)}")
    rules = {n: take(made_of, n, KINDS.get(n, bool), getattr(made.rules, n)) for n in EST_RULES}
    changed = type(made.rules)(**rules)
    changed.check()
    life_s = _seconds(made_of, "leaf_s", cloud.issuers.own.life_s)
    trusted = {n: pem and der_of(pem, n) for n, pem in take(made_of, "trusted", dict, {}).items()}
    approved = take(made_of, "approve", str, "")
    if approved and not made.approve(None if approved == "*" else approved):
        raise BadRequest("no such request waits", approved, f"there are {sorted(made.waiting)}")
    made.rules, cloud.issuers.own.life_s = changed, life_s
    _change(made.secrets, take(made_of, "secrets", dict, {}))
    _change(made.trusted, trusted)
    return await est(cloud, request)


async def issue(cloud: Cloud, request: Request) -> dict:
    """A chain for a request, for those who carry it: `from` an issuer, `csr` as PEM or base64.

    Faults of EST at the point "issue" happen here too.
    """
    made_of, now_ms = body_of(request), cloud.clock.now_ms()
    issues = cloud.issuers.named(take(made_of, "from", str))
    try:
        asked = csr.read(_request_in(take(made_of, "csr", str)))
        fault = cloud.faults.take("est", "issue", asked.common_name)
        chain = issuing.chain_for(issues, asked, now_ms, fault)
    except csr.CsrRefused as e:
        raise BadRequest("the request is refused", e.reason, e.message) from None
    thumbprint = identity.thumbprints(chain[0])[1]
    cloud.note("issued", by=made_of["from"], cn=asked.common_name, thumbprint=thumbprint)
    return {"chain": issuing.pem_of(chain), "thumbprint": thumbprint}


def _kept_by(cloud: Cloud, service: str) -> CaCertificates:
    services = {**cloud.hubs, "dps": cloud.dps}
    if service not in services:
        raise BadRequest("it keeps no CA certificates", service, f"one of {', '.join(services)}")
    return services[service].certificates


def _seconds(made_of: dict, name: str, otherwise: int) -> int:
    value = take(made_of, name, int, otherwise)
    if value < 1:
        raise BadRequest(f"field {name} is no time", value, "whole seconds from 1")
    return value


def _change(kept: dict, changes: dict) -> None:
    for name, value in changes.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = value


def _request_in(text: str) -> bytes:
    if "-----BEGIN" not in text:
        return csr.from_base64(text)
    try:
        made = x509.load_pem_x509_csr(text.encode())
    except ValueError:
        raise csr.CsrRefused("FailedToDecodeCsr", "the PEM holds no request") from None
    return made.public_bytes(serialization.Encoding.DER)
