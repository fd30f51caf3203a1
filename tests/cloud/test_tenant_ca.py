"""The tenant CA over the years, and what hubs and DPS make of its certificates."""

import base64
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hil.cloud.cacertificates import CaCertificates
from hil.cloud.connection import Peer
from hil.cloud.csr import read
from hil.cloud.enrollment import Enrollment
from hil.cloud.http1 import Request
from hil.cloud.identity import thumbprints
from hil.cloud.issuers import Issuers
from hil.cloud.issuing import Terms, chain_for
from hil.cloud.refusal import BadRequest
from hil.cloud.registry import CA, Identity
from tests.cloud.world import HOST, SCOPE, Authority, World, request

DAY = 86_400_000
DEVICE = "dev-1"


class Yard(World):
    """A world with all issuers."""

    def __init__(self) -> None:
        super().__init__()
        self.issuers = Issuers(
            Authority("EST TLS Root").der, 0, utc_s=self.utc_s, make_id=self.make_id,
            journal=self.journal, faults=self.faults,
        )  # fmt: skip
        self.tenant = self.issuers.tenant

    def after(self, days):
        self.now_ms = days * DAY
        return {row["thumbprint"]: row for row in self.tenant.certificates(self.now_ms)}

    def statuses(self, days):
        return [(row["status"], row["inactive"]) for row in self.after(days).values()]

    def chain(self, device=DEVICE):
        return chain_for(self.tenant, read(request(device)), self.now_ms)

    def generation(self, thumbprint):
        return self.tenant.get(thumbprint, self.now_ms)

    def register(self, with_, name, thumbprint="newest"):
        return self.issuers.register_tenant(with_, name, self.now_ms, thumbprint)

    def dps_answers(self, chain):
        """(status, body) of a registration."""
        self.dps.polls = 1
        client = self.client(
            self.dps, DEVICE, chain=chain,
            username=f"{SCOPE}/registrations/{DEVICE}/api-version=2019-03-31",
        ).open()  # fmt: skip
        client.subscribe("$dps/registrations/res/#", 1)
        client.publish("$dps/registrations/PUT/iotdps-register/?$rid=1", b"{}", 1)
        if "/202/" in client.delivered[-1][0]:
            operation = json.loads(client.delivered[-1][1])["operationId"]
            poll = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId="
            client.publish(poll + operation, b"", 1)
        topic, body, _ = client.delivered[-1]
        return int(topic.split("/")[3]), json.loads(body)


@pytest.fixture
def yard():
    return Yard()


def test_one_life_renewed_at_90_days_and_active_45_days_later(yard):
    assert yard.statuses(0) == [("Active", None)]
    assert yard.statuses(639) == [("Active", None)]
    assert yard.statuses(640) == [("Active", None), ("Inactive", "new")]
    assert yard.statuses(684) == [("Active", None), ("Inactive", "new")]
    assert yard.statuses(685) == [("Inactive", "retired"), ("Active", None)]
    assert yard.statuses(729) == [("Inactive", "retired"), ("Active", None)]
    assert yard.statuses(730) == [("Inactive", "expired"), ("Active", None)]


def test_list_says_what_the_documentation_has_operators_read(yard):
    (row,) = yard.after(0).values()
    assert row == {
        "thumbprint": thumbprints(yard.tenant.active(0).der)[0],
        "sha256": thumbprints(yard.tenant.active(0).der)[1],
        "status": "Active", "isActive": True, "isRevoked": False, "inactive": None,
        "startDate": "2026-09-21T14:13:20Z", "endDate": "2028-09-20T14:13:20Z",
    }  # fmt: skip


def test_a_jump_of_ten_years_makes_every_generation_at_its_day(yard):
    rows = list(yard.after(3650).values())
    starts = [x["startDate"][:10] for x in rows]
    assert starts == [
        "2026-09-21", "2028-06-22", "2030-03-24", "2031-12-24", "2033-09-24", "2035-06-26",
    ]  # fmt: skip
    assert [row["status"] for row in rows] == ["Inactive"] * 5 + ["Active"]
    created = yard.rows("tenant ca created")
    assert len(created) == 6 and len(yard.rows("tenant ca active")) == 6
    assert len({row["thumbprint"] for row in created}) == 6


def test_turn_tells_when_something_happens_next(yard):
    assert yard.tenant.turn(0) == 640 * DAY
    assert yard.tenant.turn(640 * DAY) == 685 * DAY
    assert yard.tenant.turn(685 * DAY) == (640 + 640) * DAY


def test_generations_share_their_name_and_not_their_key(yard):
    yard.after(640)
    old, new = (
        x509.load_der_x509_certificate(made(yard.now_ms).der)
        for made in (yard.tenant.active, yard.tenant.newest)
    )
    assert old.subject == new.subject and old.public_key() != new.public_key()
    leaf = x509.load_der_x509_certificate(yard.chain()[0])
    leaf.verify_directly_issued_by(old)


def test_leaf_never_outlives_its_ca(yard):
    yard.after(684)
    leaf, authority = map(x509.load_der_x509_certificate, yard.chain())
    assert leaf.not_valid_after_utc == authority.not_valid_after_utc


def test_operator_may_renew_activate_and_revoke_ahead_of_time(yard):
    first = yard.tenant.active(0).thumbprint
    second = yard.tenant.renew(0).thumbprint
    assert yard.tenant.renew(0).thumbprint == second != first
    assert yard.tenant.active(0).thumbprint == first
    yard.tenant.activate(0)
    assert yard.tenant.active(0).thumbprint == second
    yard.tenant.revoke(second, 0)
    assert yard.tenant.active(0).thumbprint not in (first, second)
    assert [row["status"] for row in yard.after(0).values()] == ["Inactive", "Revoked", "Active"]
    assert len(yard.tenant.published(0)) == 2


def test_revoked_successor_is_followed_by_another(yard):
    yard.after(640)
    yard.tenant.revoke("newest", yard.now_ms)
    yard.after(700)
    assert [row["status"] for row in yard.after(700).values()] == ["Inactive", "Revoked", "Active"]


def test_unknown_thumbprint_is_refused(yard):
    with pytest.raises(BadRequest, match="no such tenant CA"):
        yard.tenant.get("00", 0)


def test_uploaded_ca_lets_nobody_in_until_its_possession_is_proven(yard):
    yard.hub.put_device(Identity(DEVICE, CA), 0)
    chain, made = yard.chain(), yard.tenant.active(0)
    kept = yard.hub.certificates
    kept.upload("tenant", made.der)
    assert yard.dial(password=None, chain=chain).code == 5
    code = kept.generate_code("tenant")
    shown = kept.verify("tenant", yard.tenant.proof_of_possession(code, "active", 0)).shown()
    assert shown["isVerified"] is True and shown["thumbprint"] == made.thumbprint
    assert yard.dial(password=None, chain=chain).code == 0
    kept.remove("tenant")
    assert yard.dial(password=None, chain=chain).code == 5


def test_upload_may_be_verified_by_word(yard):
    yard.hub.put_device(Identity(DEVICE, CA), 0)
    yard.hub.certificates.upload("tenant", yard.tenant.active(0).der, verified=True)
    assert yard.dial(password=None, chain=yard.chain()).code == 0


def wrong_proofs(yard, code):
    """Sentence -> proof."""
    stranger = Authority("Stranger")
    other = Issuers(
        stranger.der, 0, utc_s=yard.utc_s, make_id=yard.make_id, journal=yard.journal,
        faults=yard.faults,
    )  # fmt: skip
    return {
        "another code": yard.tenant.proof_of_possession(code[::-1] + "X", "active", 0),
        "another CA": other.tenant.proof_of_possession(code, "active", 0),
        "the CA itself": yard.tenant.active(0).der,
        "no certificate": b"hello",
    }


def test_wrong_proof_is_refused_and_the_ca_stays_unverified(yard):
    kept = CaCertificates(yard.make_id)
    kept.upload("tenant", yard.tenant.active(0).der)
    code = kept.generate_code("tenant")
    for sentence, proof in wrong_proofs(yard, code).items():
        with pytest.raises(BadRequest):
            kept.verify("tenant", proof)
        assert not kept.trusted, sentence
    old = yard.tenant.proof_of_possession(code, "active", 0)
    kept.generate_code("tenant")
    with pytest.raises(BadRequest, match="another CN"):
        kept.verify("tenant", old)


def test_proof_without_a_code_or_for_nothing_is_refused(yard):
    kept = CaCertificates(yard.make_id)
    kept.upload("tenant", yard.tenant.active(0).der)
    with pytest.raises(BadRequest, match="no verification code"):
        kept.verify("tenant", b"")
    with pytest.raises(BadRequest, match="no such CA"):
        kept.generate_code("other")
    with pytest.raises(BadRequest, match="not a certificate"):
        kept.upload("tenant", b"hello")


def enroll(yard, **more):
    yard.dps.enrollments.put(Enrollment("fleet", "group", "x509", hub=HOST, hub_auth="ca", **more))


def test_dps_refuses_an_unknown_ca_and_one_that_is_not_verified(yard):
    enroll(yard, primary_ca="tenant-1")
    for upload, reason in ((False, "reaches no registered CA"), (True, "is not verified")):
        if upload:
            yard.dps.certificates.upload("tenant-1", yard.tenant.active(0).der)
        status, body = yard.dps_answers(yard.chain())
        assert (status, body["errorCode"]) == (401, 401002)
        assert body["message"] == "CA certificate not found."
        assert reason in yard.rows("register")[-1]["reason"]
    yard.register(yard.dps.certificates, "tenant-1")
    assert yard.dps_answers(yard.chain())[1]["status"] == "assigned"


def test_rotation_with_the_new_ca_as_secondary_entry(yard):
    enroll(yard, primary_ca="tenant-1")
    for kept in (yard.dps.certificates, yard.hub.certificates):
        yard.register(kept, "tenant-1")
    old = yard.chain()
    assert yard.dps_answers(old)[0] == 200
    yard.after(685)
    new = yard.chain()
    assert yard.dps_answers(new)[1]["message"] == "CA certificate not found."
    assert yard.dial(password=None, chain=new).code == 5
    for kept in (yard.dps.certificates, yard.hub.certificates):
        yard.register(kept, "tenant-2")
    yard.dps.enrollments.get("fleet").secondary_ca = "tenant-2"
    assert yard.dps_answers(new)[0] == 200
    assert yard.dial(password=None, chain=new).code == 0


def test_certificate_of_a_retired_ca_is_good_to_its_end(yard):
    yard.hub.put_device(Identity(DEVICE, CA), 0)
    yard.register(yard.hub.certificates, "tenant-1")
    yard.after(684)
    old = yard.chain()
    yard.after(729)
    assert yard.dial(password=None, chain=old).code == 0
    yard.after(731)
    assert yard.dial(password=None, chain=old).code == 5


def test_leaf_below_an_expired_registered_ca_is_refused(yard):
    yard.hub.put_device(Identity(DEVICE, CA), 0)
    yard.register(yard.hub.certificates, "tenant-1")
    first = yard.tenant.active(0)
    yard.after(735)
    now = yard.utc_s(yard.now_ms)
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    leaf = first.authority.leaf(Terms(DEVICE, key, now - 60, now + 86_400))
    assert yard.dial(password=None, chain=[leaf]).code == 5
    assert "expired" in yard.why_refused()


def test_disabled_group_refuses_even_when_a_higher_one_would_take_the_device(yard):
    root = Authority("Root CA")
    middle = Authority("Middle CA", root)
    enroll(yard, primary=middle.der, enabled=False)
    yard.dps.enrollments.put(
        Enrollment("above", "group", "x509", primary=root.der, hub=HOST, hub_auth="ca")
    )
    status, body = yard.dps_answers([middle.leaf(DEVICE), middle.der])
    assert (status, body["status"]) == (200, "disabled")


def test_est_serves_the_tenant_under_its_label_through_a_rotation(yard):
    def enroll_by_est(chain):
        asked = Request(
            "POST", "/.well-known/est/tenant/simplereenroll", {},
            {"content-type": "application/pkcs10"}, base64.b64encode(request(DEVICE)),
        )  # fmt: skip
        return yard.issuers.est.answer(asked, Peer(chain), yard.now_ms)[0]

    yard.after(600)
    old = yard.chain()
    yard.after(685)
    assert enroll_by_est(old) == 200
    yard.tenant.revoke(yard.tenant.certificates(yard.now_ms)[0]["thumbprint"], yard.now_ms)
    assert enroll_by_est(old) == 401


def test_leaves_of_ten_years_come_from_six_generations(yard):
    asked = read(request(DEVICE))
    signers = []
    for days in range(0, 3650, 10):
        yard.now_ms = days * DAY
        leaf, signer = chain_for(yard.tenant, asked, yard.now_ms)
        signers += [] if signer in signers else [signer]
    assert signers == [made.der for made in map(yard.generation, yard.after(3650))]


def test_keys_of_all_issuers_come_from_the_function_given():
    made = []

    def make_key():
        made.append(ec.generate_private_key(ec.SECP384R1()))
        return made[-1]

    world = World()
    issuers = Issuers(
        Authority("EST TLS Root").der, 0, utc_s=world.utc_s, make_id=world.make_id,
        journal=world.journal, faults=world.faults, make_key=make_key,
    )  # fmt: skip
    signers = [issuers.tenant, issuers.own, issuers.namespace.policy("default")]
    used = [issues.authority(0).issuer.key for issues in signers]
    assert all(any(key is known for known in made) for key in used)
    leaf, above = chain_for(issuers.tenant, read(request(DEVICE)), 0)
    x509.load_der_x509_certificate(leaf).verify_directly_issued_by(
        x509.load_der_x509_certificate(above)
    )
