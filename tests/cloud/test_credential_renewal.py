"""issueCertificate over a hub session: 202 and its outcome, refusals, reconnects, the registry."""

import base64
import json

import pytest
from cryptography import x509

from hil.cloud.identity import thumbprints
from hil.cloud.registry import CA, SAS, THUMBPRINT, Identity
from tests.cloud.world import HOST, Authority, World, request

DEVICE = "dev-1"
PREVIEW = f"{HOST}/{DEVICE}/?api-version=2025-08-01-preview"
ISSUE = "$iothub/credentials/POST/issueCertificate/?$rid="
HEARD, PAGE = "$iothub/credentials/res/#", "$iothub/credential/#"


@pytest.fixture
def world():
    return World()


def device(world, auth=THUMBPRINT, policy="default"):
    """A device that is written to the hub with a certificate; the chain it shows."""
    authority = Authority("Onboarding CA")
    leaf = authority.leaf(DEVICE)
    world.hub.certificates.upload("onboarding", authority.der, verified=True)
    made = Identity(DEVICE, auth, policy=policy)
    if auth == THUMBPRINT:
        made.primary_thumbprint = thumbprints(leaf)[1]
    world.hub.put_device(made, world.now_ms)
    return [leaf]


def dial(world, chain, filter_=HEARD, username=PREVIEW, **more):
    client = world.dial(DEVICE, username=username, password=None, chain=chain, **more)
    if filter_:
        client.subscribe(filter_, 0)
    return client


def body(csr=None, **more):
    csr = base64.b64encode(csr or request(DEVICE)).decode()
    return json.dumps({"id": DEVICE, "csr": csr, **more}).encode()


def replies(client):
    """[(status, query, body)] of all that came."""
    found = []
    for topic, payload, _ in client.delivered:
        path, _, query = topic.partition("/?")
        found.append((int(path.rpartition("/")[2]), query, json.loads(payload)))
    return found


def ask(client, rid="req-1", payload=None):
    """The reply to one request, None when there is none."""
    before = len(client.delivered)
    client.publish(ISSUE + rid, body() if payload is None else payload, 1)
    return replies(client)[before] if len(client.delivered) > before else None


def wait(world, ms=1000):
    world.now_ms += ms
    return world.hub.turn(world.now_ms)


def chain_in(reply):
    return [base64.b64decode(text, validate=True) for text in reply[2]["certificates"]]


def test_accepted_with_202_and_then_200_with_the_chain(world):
    chain = device(world)
    client = dial(world, chain)
    status, query, told = ask(client)
    assert (status, query) == (202, "$rid=req-1")
    assert sorted(told) == ["correlationId", "operationExpires"]
    assert told["operationExpires"] == "2026-09-22T02:13:20Z"  # twelve hours on
    assert world.hub.turn(world.now_ms) == 1000
    wait(world)
    status, query, final = replies(client)[1]
    assert (status, query) == (200, "$rid=req-1&$version=1")
    assert final["correlationId"] == told["correlationId"]
    leaf, issuing, root = map(x509.load_der_x509_certificate, chain_in(replies(client)[1]))
    leaf.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)
    assert client.closed is None
    assert world.hub.turn(world.now_ms) is None


def test_by_thumbprint_the_new_and_the_former_certificate_are_both_good(world):
    old = device(world)
    client = dial(world, old)
    ask(client)
    wait(world)
    new = chain_in(replies(client)[1])
    registered = world.hub.registry.get(DEVICE)
    assert registered.primary_thumbprint == thumbprints(new[0])[1]
    assert registered.secondary_thumbprint == thumbprints(old[0])[1]
    assert [dial(world, chain).code for chain in (new, old)] == [0, 0]


def test_by_ca_the_issued_chain_is_good_and_needs_its_intermediate(world):
    client = dial(world, device(world, CA))
    ask(client)
    wait(world)
    new = chain_in(replies(client)[1])
    assert [dial(world, chain).code for chain in (new, new[:1])] == [0, 5]


def test_whoever_subscribes_by_the_page_is_answered_by_the_page(world):
    client = dial(world, device(world), PAGE)
    ask(client)
    wait(world)
    topics = [topic.partition("/?")[0] for topic, _, _ in client.delivered]
    assert topics == ["$iothub/credential/res/202", "$iothub/credential/res/200"]
    leaf = replies(client)[1][2]["certificates"][0]
    assert x509.load_pem_x509_certificate(leaf.encode()).subject.rfc4514_string() == "CN=dev-1"


BAD = {
    "no body": (b"", 400004),
    "not JSON": (b"{", 400006),
    "not an object": (b"[]", 400004),
    "another id": (body(id="dev-2"), 400004),
    "an unknown member": (body(more=1), 400004),
    "no base64": (json.dumps({"id": DEVICE, "csr": "%%"}).encode(), 400004),
    "no request": (json.dumps({"id": DEVICE}).encode(), 400004),
    "more than 8 KB": (body(b"0" * 8193), 400004),
    "a bad replace": (body(replace="-x-"), 400004),
    "nothing to replace": (body(replace="*"), 412001),
}


@pytest.mark.parametrize("payload, code", BAD.values(), ids=BAD)
def test_bad_request_is_refused_at_once(world, payload, code):
    status, query, error = ask(dial(world, device(world)), payload=payload)
    assert (status, query, error["errorCode"]) == (code // 1000, "$rid=req-1", code)
    assert sorted(error) == ["errorCode", "info", "message", "timestampUtc", "trackingId"]
    assert error["info"] is None and world.hub.turn(0) is None


@pytest.mark.parametrize("rid", ["ab", "-abc", "abc-", "a_bc", "x" * 37])
def test_illegal_request_id_is_refused(world, rid):
    assert ask(dial(world, device(world)), rid)[2]["errorCode"] == 400004


@pytest.mark.parametrize("rid", ["1", "abcd", "a-b-c", "x" * 36])
def test_legal_request_id_is_taken(world, rid):
    assert ask(dial(world, device(world)), rid)[0] == 202


@pytest.mark.parametrize("auth, policy", [(SAS, "default"), (THUMBPRINT, "")])
def test_device_without_certificate_or_policy_has_no_credential_to_renew(world, auth, policy):
    if auth == SAS:
        world.sas_device(policy=policy)
        client = world.dial(username=PREVIEW)
        client.subscribe(HEARD)
    else:
        client = dial(world, device(world, policy=policy))
    assert ask(client)[2]["errorCode"] == 412005


def test_request_of_an_older_api_version_ends_the_connection(world):
    client = dial(world, device(world), username=f"{HOST}/{DEVICE}/?api-version=2021-04-12")
    assert ask(client) is None and "api-version" in client.closed


def test_request_without_id_ends_the_connection(world):
    client = dial(world, device(world))
    assert ask(client, "") is None and "$rid" in client.closed


def test_request_before_the_subscription_is_not_heard(world):
    client = dial(world, device(world), None)
    assert ask(client) is None and client.closed is None
    assert world.rows("credential unheard")
    client.subscribe(HEARD)
    assert ask(client)[0] == 202


def test_second_request_is_refused_while_one_is_active_unless_it_replaces_it(world):
    client = dial(world, device(world))
    first = ask(client)[2]["correlationId"]
    status, _, error = ask(client, "req-2")
    assert (status, error["errorCode"], error["info"]) == (409, 409004, {"requestId": "req-1"})
    assert ask(client, "req-3", body(replace="req-9"))[2]["errorCode"] == 412001
    assert ask(client, "req-3", body(replace="req-1"))[0] == 202
    assert ask(client, "req-4", body(replace="*"))[0] == 202
    wait(world)
    done = [reply for reply in replies(client) if reply[0] == 200]
    assert [query for _, query, _ in done] == ["$rid=req-4&$version=1"]
    assert done[0][2]["correlationId"] != first
    assert ask(client, "req-5")[0] == 202


def test_request_that_the_ca_rejects_gets_its_400_after_the_202(world):
    client = dial(world, device(world))
    status, _, accepted = ask(client, payload=body(b"hello"))
    assert status == 202
    wait(world)
    status, query, error = replies(client)[1]
    assert (status, error["errorCode"]) == (400, 400037)
    assert error["info"]["credentialError"] == "FailedToDecodeCsr"
    assert error["info"]["correlationId"] == accepted["correlationId"]
    assert error["info"]["requestId"] == "req-1"
    assert ask(client, "req-2", body(request("dev-2")))[0] == 202
    wait(world)
    assert replies(client)[3][2]["info"]["credentialError"] == "InvalidSubject"


@pytest.mark.parametrize("clean", [False, True])
def test_outcome_waits_for_the_next_session(world, clean):
    chain = device(world)
    client = dial(world, chain, clean=clean)
    ask(client)
    client.leave()
    wait(world)
    again = dial(world, chain, HEARD if clean else None, clean=clean)
    assert [status for status, _, _ in replies(again)] == [200]
    assert replies(dial(world, chain)) == []


def test_outcome_waits_for_the_subscription(world):
    client = dial(world, device(world))
    ask(client)
    world.hub.unsubscribe(client.session, HEARD, 0)
    wait(world)
    assert len(client.delivered) == 1
    client.subscribe(HEARD)
    assert replies(client)[1][0] == 200


def test_outcome_at_qos_1_is_delivered_until_it_is_acknowledged(world):
    chain = device(world)
    client = dial(world, chain, None, clean=False)
    client.subscribe(HEARD, 1)
    ask(client)
    wait(world)
    first = replies(client)[1]
    client.leave("tcp")
    again = dial(world, chain, None, clean=False)
    assert replies(again) == [first]
    again.acknowledge(1)
    again.leave()
    assert replies(dial(world, chain, None, clean=False)) == []


def test_fault_after_reconnect_holds_the_outcome_back_in_this_session(world):
    chain = device(world)
    client = dial(world, chain, clean=False)
    world.faults.add("ISSUE_AFTER_RECONNECT")
    assert ask(client)[0] == 202
    wait(world, 3_600_000)
    assert len(client.delivered) == 1
    assert replies(dial(world, chain, None, clean=False))[0][0] == 200


def test_fault_never_ends_with_the_operation_after_twelve_hours(world):
    client = dial(world, device(world))
    world.faults.add("ISSUE_NEVER")
    ask(client)
    assert wait(world, 12 * 3_600_000 - 1) == 12 * 3_600_000
    assert ask(client, "req-2")[2]["errorCode"] == 409004
    wait(world, 1)
    assert ask(client, "req-2")[0] == 202
    wait(world)
    assert replies(client)[-1][0] == 200


def test_outcome_nobody_fetched_is_gone_after_twelve_hours(world):
    chain = device(world)
    client = dial(world, chain)
    ask(client)
    client.leave()
    wait(world, 12 * 3_600_000)
    assert replies(dial(world, chain)) == []


FAULTS = {
    "throttled": (("BUSY", {"retry_after_s": 9}), 429, 429002),
    "down": (("SERVER_ERROR", {"status": 503}), 503, 503001),
    "failed": (("SERVER_ERROR", {}), 500, 500001),
    "wrong tier": (("REFUSED", {"code": 403010}), 403, 403010),
}


@pytest.mark.parametrize("fault, status, code", FAULTS.values(), ids=FAULTS)
def test_fault_answers_with_its_documented_error(world, fault, status, code):
    client = dial(world, device(world))
    world.faults.add(fault[0], service="hub", at="credential", **fault[1])
    reply = ask(client)
    assert (reply[0], reply[2]["errorCode"]) == (status, code)
    assert reply[2].get("retryAfter") == (9 if code == 429002 else None)
    assert ask(client, "req-2")[0] == 202


def test_fault_no_reply_and_fault_malformed(world):
    client = dial(world, device(world))
    world.faults.add("NO_REPLY", at="credential")
    assert ask(client) is None
    world.faults.add("MALFORMED_CREDENTIAL_REPLY", body="{")
    client.publish(ISSUE + "req-1", body(), 1)
    assert client.delivered[-1][:2] == ("$iothub/credentials/res/200/?$rid=req-1", b"{")
    client.delivered.clear()
    assert ask(client)[0] == 202


def test_fault_wrong_cn_comes_as_a_200(world):
    client = dial(world, device(world))
    world.faults.add("WRONG_CN", cn="dev-2", service="hub")
    ask(client)
    wait(world)
    leaf = x509.load_der_x509_certificate(chain_in(replies(client)[1])[0])
    assert leaf.subject.rfc4514_string() == "CN=dev-2"


def test_device_deleted_meanwhile_hears_nothing_more(world):
    client = dial(world, device(world))
    ask(client)
    world.hub.delete_device(DEVICE, world.now_ms)
    wait(world)
    assert len(client.delivered) == 1 and client.closed
