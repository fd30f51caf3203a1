"""Certificates that come with a registration: the request, the chain, and what hubs make of it."""

import base64
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hil.cloud.enrollment import Enrollment, Presented
from hil.cloud.identity import thumbprints
from hil.cloud.refusal import BadRequest
from tests.cloud.world import HOST, KEY, SCOPE, Authority, World, request, token

RID = "dev-1"
PREVIEW = "2025-07-01-preview"
REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid=%d"
POLL = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=%d&operationId=%s"


@pytest.fixture
def world():
    made = World()
    made.dps.polls = 1
    return made


def enroll(world, **more):
    more = {"primary": KEY, "hub": HOST, "policy": "default", **more}
    world.dps.enrollments.put(Enrollment(RID, **more))


def dial(world, chain=None, version=PREVIEW):
    username = f"{SCOPE}/registrations/{RID}/api-version={version}"
    password = None if chain else token(f"{SCOPE}/registrations/{RID}", skn="registration")
    client = world.client(world.dps, RID, username=username, password=password, chain=chain).open()
    client.subscribe("$dps/registrations/res/#", 1)
    return client


def register(client, csr=None):
    """(status, body) of the last reply."""
    asked = {"registrationId": RID}
    if csr is not None:
        asked["csr"] = csr if isinstance(csr, str) else base64.b64encode(csr).decode()
    status, body = said(client, REGISTER % 1, json.dumps(asked).encode())
    return said(client, POLL % (2, body["operationId"])) if status == 202 else (status, body)


def said(client, topic, payload=b""):
    client.publish(topic, payload, 1)
    topic, body, _ = client.delivered[-1]
    return int(topic.split("/")[3]), json.loads(body)


def issued(client, csr):
    """The chain as DER."""
    state = register(client, csr)[1]["registrationState"]
    return [base64.b64decode(text, validate=True) for text in state["issuedCertificateChain"]]


def at_hub(world, chain, host=HOST):
    return world.dial(RID, password=None, chain=chain).code


def group(world, **more):
    """An X.509 group whose devices the hub knows by CA; a chain below it."""
    authority = Authority("Onboarding CA")
    enrolled = Enrollment(
        "fleet", "group", "x509", authority.der, hub=HOST, hub_auth="ca", policy="default", **more
    )
    world.dps.enrollments.put(enrolled)
    return [authority.leaf(RID)]


def test_chain_comes_leaf_first_and_root_last_with_the_requested_key(world):
    enroll(world)
    key = ec.generate_private_key(ec.SECP384R1())
    leaf, issuing, root = map(
        x509.load_der_x509_certificate, issued(dial(world), request(RID, key))
    )
    assert leaf.public_key() == key.public_key()
    assert leaf.subject.rfc4514_string() == f"CN={RID}"
    leaf.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 90


def test_repeated_poll_has_the_same_chain_and_the_lookup_none(world):
    enroll(world)
    client = dial(world)
    body = {"csr": base64.b64encode(request(RID)).decode()}
    operation = said(client, REGISTER % 1, json.dumps(body).encode())[1]["operationId"]
    first = said(client, POLL % (2, operation))
    assert said(client, POLL % (3, operation)) == first
    assert len(first[1]["registrationState"]["issuedCertificateChain"]) == 3
    shown = Presented(RID, SCOPE, token(f"{SCOPE}/registrations/{RID}").decode())
    status, _, looked_up = world.dps.lookup(RID, shown, 0)
    assert status == 200 and b"issuedCertificateChain" not in looked_up


def test_symmetric_key_device_goes_on_with_its_certificate_by_thumbprint(world):
    enroll(world)
    chain = issued(dial(world), request(RID))
    assert at_hub(world, chain) == 0
    assert world.hub.registry.get(RID).primary_thumbprint == thumbprints(chain[0])[1]
    assert world.dial(RID).code == 5  # its token is worth nothing at the hub any more


def test_the_next_registration_with_a_request_replaces_the_thumbprint(world):
    enroll(world)
    old, new = issued(dial(world), request(RID)), issued(dial(world), request(RID))
    assert (at_hub(world, old), at_hub(world, new)) == (5, 0)


def test_hub_that_judges_by_ca_takes_issued_and_onboarding_chains(world):
    onboarding = group(world)
    world.hub.certificates.upload("onboarding", world.dps.enrollments.get("fleet").primary, True)
    first = issued(dial(world, onboarding), request(RID))
    second = issued(dial(world, onboarding), request(RID))
    assert [at_hub(world, chain) for chain in (first, second, onboarding)] == [0, 0, 0]


def test_issued_leaf_without_its_intermediate_is_refused(world):
    onboarding = group(world)
    leaf, _, root = issued(dial(world, onboarding), request(RID))
    assert at_hub(world, [leaf]) == at_hub(world, [leaf, root]) == 5
    assert "no registered CA" in world.why_refused()


def test_revoking_refuses_every_older_certificate_until_the_next_registration(world):
    onboarding = group(world)
    old = issued(dial(world, onboarding), request(RID))
    world.namespace.revoke(RID, 0)
    assert at_hub(world, old) == 5
    assert "revoked" in world.why_refused()
    new = issued(dial(world, onboarding), request(RID))
    assert (at_hub(world, old), at_hub(world, new)) == (5, 0)


def test_dps_takes_operational_certificates_only_where_the_group_says_so(world):
    onboarding = group(world)
    chain = issued(dial(world, onboarding), request(RID))
    status, body = register(dial(world, chain))
    assert (status, body["errorCode"]) == (401, 401002)
    assert body["message"] == "CA certificate not found."
    world.dps.enrollments.get("fleet").operational = True
    assert register(dial(world, chain))[0] == 200


@pytest.mark.parametrize("policy, version", [("", PREVIEW), ("default", "2019-03-31")])
def test_without_policy_or_preview_version_the_request_is_passed_over(world, policy, version):
    enroll(world, policy=policy)
    status, body = register(dial(world, version=version), request(RID))
    assert (status, body["status"]) == (200, "assigned")
    assert "issuedCertificateChain" not in body["registrationState"]
    assert world.dial(RID).code == 0


def flipped(der):
    return der[:-4] + bytes([der[-4] ^ 1]) + der[-3:]


BAD_REQUESTS = {
    "not base64": "%%%",
    "PEM": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    "not PKCS#10": base64.b64encode(b"hello").decode(),
    "another device's CN": request("dev-2"),
    "not signed by its key": flipped(request(RID)),
    "larger than 8 KB": base64.b64encode(b"0" * 8193).decode(),
}


@pytest.mark.parametrize("csr", BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_bad_request_is_refused_with_400_and_registers_nothing(world, csr):
    enroll(world)
    status, body = register(dial(world), csr)
    assert (status, body["errorCode"], body["message"]) == (400, 400000, "The CSR is invalid.")
    assert world.hub.registry.get(RID) is None


def test_policy_refuses_a_key_it_does_not_take(world):
    enroll(world)
    world.namespace.put_policy("default", 0, days=7, keys=("ec-p384",))
    rsa_key = rsa.generate_private_key(65537, 2048)
    for key in (rsa_key, ec.generate_private_key(ec.SECP256R1())):
        body = register(dial(world), request(RID, key))[1]
        state = body["registrationState"]
        assert (body["status"], state["errorCode"]) == ("failed", 400037)
    leaf = issued(dial(world), request(RID, ec.generate_private_key(ec.SECP384R1())))[0]
    made = x509.load_der_x509_certificate(leaf)
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 7


def test_fault_no_chain_assigns_and_leaves_the_chain_out(world):
    enroll(world)
    world.faults.add("NO_CHAIN")
    state = register(dial(world), request(RID))[1]["registrationState"]
    assert state["status"] == "assigned" and "issuedCertificateChain" not in state


def test_fault_refused_fails_the_registration_and_leaves_the_hub_as_it_was(world):
    enroll(world)
    before = issued(dial(world), request(RID))
    world.faults.add("ISSUE_REFUSED", service="dps", code=400040)
    body = register(dial(world), request(RID))[1]
    assert (body["status"], body["registrationState"]["errorCode"]) == ("failed", 400040)
    assert at_hub(world, before) == 0


def test_fault_thumbprint_late_has_the_hub_refuse_for_a_while_and_then_accept(world):
    enroll(world)
    old = issued(dial(world), request(RID))
    world.faults.add("THUMBPRINT_LATE", after_s=90)
    new = issued(dial(world), request(RID))
    assert (at_hub(world, old), at_hub(world, new)) == (0, 5)
    world.now_ms = 90_000
    world.hub.turn(world.now_ms)
    assert (at_hub(world, old), at_hub(world, new)) == (5, 0)


def test_fault_thumbprint_late_holds_for_a_device_the_hub_never_saw(world):
    enroll(world, initial_desired={"depth": 3})
    world.faults.add("THUMBPRINT_LATE", after_s=5)
    chain = issued(dial(world), request(RID))
    assert at_hub(world, chain) == 5
    assert world.hub.turn(0) == 5_000
    world.now_ms = 5_000
    world.hub.turn(world.now_ms)
    assert at_hub(world, chain) == 0
    assert world.hub.twin(RID).desired.properties == {"depth": 3}


def public(der):
    key = x509.load_der_x509_certificate(der).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form)


def test_faults_of_an_issuer_make_exactly_the_wrong_they_name(world):
    enroll(world)
    key = ec.generate_private_key(ec.SECP256R1())
    csr = request(RID, key)
    right = issued(dial(world), csr)

    def wrong(name, **more):
        world.faults.add(name, **more)
        return issued(dial(world), csr)

    other = x509.load_der_x509_certificate(wrong("WRONG_CN", cn="dev-2")[0])
    assert other.subject.rfc4514_string() == "CN=dev-2"
    chain = wrong("WRONG_KEY")
    assert public(chain[0]) != public(right[0]) and chain[1:] == right[1:]
    chain = wrong("NO_INTERMEDIATE")
    assert len(chain) == 2 and chain[1] == right[2] and public(chain[0]) == public(right[0])
    chain = wrong("OTHER_CA")
    leaf, root = map(x509.load_der_x509_certificate, chain)
    leaf.verify_directly_issued_by(root)
    issuing = x509.load_der_x509_certificate(right[1])
    assert root.subject == issuing.subject and chain[1] != right[1]
    leaf = x509.load_der_x509_certificate(wrong("EXPIRED_CERTIFICATE")[0])
    assert leaf.not_valid_after_utc.timestamp() < world.utc_s(0)
    assert issued(dial(world), csr)[1:] == right[1:]


@pytest.mark.parametrize("rules", [{"days": 0}, {"days": 91}, {"keys": ("ed25519",)}])
def test_impossible_policy_is_refused_and_changes_nothing(world, rules):
    with pytest.raises(BadRequest, match="1 to 90|one of"):
        world.namespace.put_policy("default", 0, **rules)
    assert world.namespace.policy("default").shown()["life_s"] == 90 * 86_400
    with pytest.raises(BadRequest, match="no such policy"):
        world.namespace.policy("other")


def test_quota_refuses_what_is_above_it_and_says_when_there_is_room(world):
    enroll(world)
    world.dps.quota.a_minute = 2
    client = dial(world)
    ask = REGISTER % 1, b"{}"
    assert [said(client, *ask)[0] for _ in range(3)] == [202, 202, 429]
    assert client.delivered[-1][0].endswith("&retry-after=60")
    world.now_ms = 59_001
    assert said(client, *ask)[0] == 429
    assert client.delivered[-1][0].endswith("&retry-after=1")
    world.now_ms = 60_000
    assert [said(client, *ask)[0] for _ in range(3)] == [202, 202, 429]
