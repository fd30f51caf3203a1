"""EST, request by request: who gets a certificate, in which form, and what is refused.

What PKCS#7 and the attributes hold is read by OpenSSL's program, which nobody here wrote.
"""

import base64
import datetime
import subprocess

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from hil.cloud.connection import Peer
from hil.cloud.est import EstServer
from hil.cloud.http1 import Request
from hil.cloud.issuing import DAY_S, Authority, Standing, Terms, two_tier
from hil.cloud.refusal import BadRequest
from tests.cloud.world import EPOCH_UTC_S, World, request

DEVICE, SECRET = "dev-1", "open sesame"
BASE = "/.well-known/est/"


class Yard(World):
    """A world with an EST server, and a device with an onboarding certificate."""

    def __init__(self) -> None:
        super().__init__()
        since, until = EPOCH_UTC_S - DAY_S, EPOCH_UTC_S + 3650 * DAY_S
        self.anchor = Authority.new("EST TLS Root", since, until)
        self.issuing = two_tier("EST Device CA", EPOCH_UTC_S)
        self.est = EstServer(
            {"": Standing(self.issuing, self.utc_s)}, self.anchor.root(),
            utc_s=self.utc_s, journal=self.journal, faults=self.faults,
        )  # fmt: skip
        self.est.secrets[DEVICE] = SECRET
        self.onboarding = Authority.new("Onboarding CA", since, until)
        self.est.trusted["onboarding"] = self.onboarding.root()
        self.chain = [self.leaf()]

    def leaf(self, common_name=DEVICE, from_s=EPOCH_UTC_S, until_s=EPOCH_UTC_S + DAY_S):
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        return self.onboarding.leaf(Terms(common_name, key, from_s, until_s))

    def ask(self, method, what, body=b"", chain=(), user=None, password=SECRET, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "POST":
            headers.setdefault("content-type", "application/pkcs10")
        if user:
            text = base64.b64encode(f"{user}:{password}".encode()).decode()
            headers["authorization"] = f"Basic {text}"
        asked = Request(method, BASE + what, {}, headers, body)
        return self.est.answer(asked, Peer(list(chain), "127.0.0.1:1"), self.now_ms)

    def enroll(self, csr=None, what="simpleenroll", **more):
        if not more.get("chain") and "user" not in more:
            more["chain"] = self.chain
        return self.ask("POST", what, base64.b64encode(csr or request(DEVICE)), **more)


@pytest.fixture
def yard():
    return Yard()


def certificates(answer):
    """The certificates of an answer, as a set of DER."""
    status, headers, body = answer
    assert status == 200, body
    assert headers["Content-Type"] == "application/pkcs7-mime; smime-type=certs-only"
    made = pkcs7.load_der_pkcs7_certificates(base64.b64decode(body))
    return {c.public_bytes(serialization.Encoding.DER) for c in made}


def leaf_of(answer):
    (only,) = certificates(answer)
    return x509.load_der_x509_certificate(only)


def read_by_openssl(data, *command):
    done = subprocess.run(
        ["openssl", *command], input=data, capture_output=True, timeout=20, check=True
    )
    return done.stdout.decode()


def test_cacerts_has_the_issuing_path_and_the_servers_own_root(yard):
    answer = yard.ask("GET", "cacerts")
    assert certificates(answer) == {*yard.issuing.path, yard.anchor.root()}
    printed = read_by_openssl(
        base64.b64decode(answer[2]), "pkcs7", "-inform", "DER", "-print_certs", "-noout"
    )
    for name in ("EST TLS Root", "EST Device CA Root", "EST Device CA Issuing"):
        assert f"subject=CN = {name}" in printed


def test_bodies_are_base64_with_or_without_line_breaks(yard):
    assert b"\n" not in yard.ask("GET", "cacerts")[2]
    yard.est.rules.lines = True
    lines = yard.ask("GET", "cacerts")[2].split(b"\r\n")
    assert len(lines) > 2 and all(len(line) <= 64 for line in lines)
    csr = base64.encodebytes(request(DEVICE))
    assert csr.count(b"\n") > 1
    assert yard.ask("POST", "simpleenroll", csr, yard.chain)[0] == 200


def test_enrollment_answers_with_the_leaf_alone_and_the_requested_key(yard):
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = leaf_of(yard.enroll(request(DEVICE, key)))
    assert leaf.public_key() == key.public_key()
    assert leaf.subject.rfc4514_string() == f"CN={DEVICE}"
    leaf.verify_directly_issued_by(x509.load_der_x509_certificate(yard.issuing.path[0]))
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == datetime.timedelta(days=90)


def test_enrollment_may_answer_with_the_whole_path(yard):
    yard.est.rules.with_chain = True
    made = certificates(yard.enroll())
    assert len(made) == 3 and set(yard.issuing.path) < made


def test_client_proves_itself_by_secret_too(yard):
    assert yard.enroll(user=DEVICE)[0] == 200
    assert yard.rows("enroll")[-1]["by"] == ["basic"]
    yard.enroll()
    assert yard.rows("enroll")[-1]["by"] == ["certificate"]


REFUSED = {
    "nobody": ({"user": ""}, 401),
    "a wrong secret": ({"user": DEVICE, "password": "x"}, 401),
    "an unknown user": ({"user": "dev-9"}, 401),
    "a strange scheme": ({"user": "", "authorization": "Digest abc"}, 401),
    "another device's secret": ({"csr": request("dev-2"), "user": DEVICE}, 403),
    "another device's CN": ({"csr": request("dev-2")}, 403),
    "not PKCS#10": ({"csr": b"hello"}, 400),
    "not base64": ({"csr": b"", "user": DEVICE}, 400),
    "another content type": ({"content_type": "text/plain"}, 415),
}


@pytest.mark.parametrize("how, status", REFUSED.values(), ids=REFUSED)
def test_enrollment_is_refused_in_plain_words(yard, how, status):
    csr = how.get("csr")
    rest = {name: value for name, value in how.items() if name != "csr"}
    if csr == b"":
        answer = yard.ask("POST", "simpleenroll", b"%%%", **rest)
    else:
        answer = yard.enroll(csr, **rest)
    assert answer[0] == status
    assert answer[1]["Content-Type"] == "text/plain" and answer[2].strip()
    assert ("WWW-Authenticate" in answer[1]) == (status == 401)
    assert yard.rows("enroll")[-1]["status"] == status


def test_expired_or_foreign_certificate_proves_nothing_and_the_secret_still_does(yard):
    stranger = Authority.new("Onboarding CA", EPOCH_UTC_S - 1, EPOCH_UTC_S + DAY_S)
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    foreign = stranger.leaf(Terms(DEVICE, key, EPOCH_UTC_S - 1, EPOCH_UTC_S + DAY_S))
    for leaf in (yard.leaf(from_s=EPOCH_UTC_S - DAY_S, until_s=EPOCH_UTC_S - 1), foreign):
        assert yard.enroll(chain=[leaf])[0] == 401
        assert yard.enroll(chain=[leaf], user=DEVICE)[0] == 200


@pytest.mark.parametrize(
    "needs, by_certificate, by_secret, by_both",
    [("either", 200, 200, 200), ("certificate", 200, 401, 200), ("basic", 401, 200, 200),
     ("both", 401, 401, 200)],
)  # fmt: skip
def test_operator_says_which_proof_it_takes(yard, needs, by_certificate, by_secret, by_both):
    yard.est.rules.needs = needs
    assert yard.enroll()[0] == by_certificate
    assert yard.enroll(user=DEVICE)[0] == by_secret
    assert yard.enroll(chain=yard.chain, user=DEVICE)[0] == by_both


def test_renewal_is_proven_by_the_certificate_that_was_issued(yard):
    first = certificates(yard.enroll())
    answer = yard.enroll(what="simplereenroll", chain=list(first))
    assert leaf_of(answer).public_bytes(serialization.Encoding.DER) not in first
    assert yard.rows("reenroll")[-1]["device"] == DEVICE


def test_renewal_by_secret_alone_is_refused(yard):
    status, _, text = yard.enroll(what="simplereenroll", user=DEVICE)
    assert (status, b"current certificate" in text) == (401, True)


def test_renewal_keeps_subject_and_san(yard):
    chain = list(certificates(yard.enroll()))
    for csr in (request("dev-2"), request(DEVICE, names=("dev-1.example",))):
        status, _, text = yard.enroll(csr, "simplereenroll", chain=chain)
        assert (status, text) == (
            400, b"subject and SAN must be those of the current certificate\n",
        )  # fmt: skip


def test_attributes_are_none_or_the_key_that_enrollment_then_insists_on(yard):
    assert yard.ask("GET", "csrattrs") == (204, {}, b"")
    yard.est.rules.key = "ec-p384"
    status, headers, body = yard.ask("GET", "csrattrs")
    assert (status, headers["Content-Type"]) == (200, "application/csrattrs")
    printed = read_by_openssl(base64.b64decode(body), "asn1parse", "-inform", "DER")
    for word in ("id-ecPublicKey", "secp384r1", "ecdsa-with-SHA384"):
        assert word in printed
    assert yard.enroll()[0] == 400
    assert yard.enroll(request(DEVICE, ec.generate_private_key(ec.SECP384R1())))[0] == 200


@pytest.mark.parametrize("kind, words", [("ec-p256", "prime256v1"), ("rsa-2048", "rsaEncryption")])
def test_attributes_of_the_other_kinds(yard, kind, words):
    yard.est.rules.key = kind
    body = yard.ask("GET", "csrattrs")[2]
    assert words in read_by_openssl(base64.b64decode(body), "asn1parse", "-inform", "DER")
    keys = {"ec-p256": ec.generate_private_key(ec.SECP256R1()),
            "rsa-2048": rsa.generate_private_key(65537, 2048)}  # fmt: skip
    for name, key in keys.items():
        assert yard.enroll(request(DEVICE, key))[0] == (200 if name == kind else 400)


def test_unknown_paths_and_methods_are_no_resource(yard):
    for method, what in (
        ("GET", "serverkeygen"), ("GET", "nobody/cacerts"), ("GET", ""), ("GET", "a/b/cacerts"),
    ):  # fmt: skip
        assert yard.ask(method, what)[0] == 404, what
    assert yard.ask("POST", "cacerts")[0] == yard.ask("GET", "simpleenroll")[0] == 405


def test_label_chooses_the_authority(yard):
    other = two_tier("Second CA", EPOCH_UTC_S)
    yard.est.authorities["second"] = Standing(other, yard.utc_s)
    assert certificates(yard.ask("GET", "second/cacerts")) == {*other.path, yard.anchor.root()}
    leaf = leaf_of(yard.enroll(what="second/simpleenroll"))
    leaf.verify_directly_issued_by(x509.load_der_x509_certificate(other.path[0]))
    assert yard.rows("enroll")[-1]["label"] == "second"


FAULTS = {
    "down": ("SERVER_ERROR", {"status": 503, "retry_after_s": 30}, 503, "30"),
    "down without a hint": ("SERVER_ERROR", {"status": 503}, 503, None),
    "throttled": ("BUSY", {"retry_after_s": 9}, 429, "9"),
    "approval": ("ISSUE_LATER", {"retry_after_s": 60}, 202, "60"),
    "refused": ("REFUSED", {"code": 403000}, 403, None),
    "rejected": ("ISSUE_REFUSED", {"error": "PolicyViolation"}, 400, None),
}


@pytest.mark.parametrize("name, how, status, after", FAULTS.values(), ids=FAULTS)
def test_fault_is_an_answer_with_its_hint(yard, name, how, status, after):
    yard.faults.add(name, service="est", device=DEVICE, **how)
    answer = yard.enroll()
    assert (answer[0], answer[1].get("Retry-After")) == (status, after)
    assert yard.enroll()[0] == 200


def test_faults_of_the_certificate(yard):
    yard.faults.add("WRONG_CN", cn="dev-2", service="est")
    assert leaf_of(yard.enroll()).subject.rfc4514_string() == "CN=dev-2"
    key = ec.generate_private_key(ec.SECP256R1())
    yard.faults.add("WRONG_KEY")
    assert leaf_of(yard.enroll(request(DEVICE, key))).public_key() != key.public_key()
    yard.faults.add("OTHER_CA")
    issuing = x509.load_der_x509_certificate(yard.issuing.path[0])
    leaf = leaf_of(yard.enroll())
    assert leaf.issuer == issuing.subject
    with pytest.raises(InvalidSignature):
        leaf.verify_directly_issued_by(issuing)


def test_fault_no_intermediate_leaves_the_roots_alone(yard):
    yard.faults.add("NO_INTERMEDIATE", at="cacerts")
    assert certificates(yard.ask("GET", "cacerts")) == {yard.issuing.root(), yard.anchor.root()}
    yard.est.rules.with_chain = True
    yard.faults.add("NO_INTERMEDIATE", at="issue")
    made = certificates(yard.enroll())
    assert len(made) == 2 and yard.issuing.root() in made


def test_fault_silence_and_fault_malformed(yard):
    yard.faults.add("NO_REPLY", at="cacerts")
    assert yard.ask("GET", "cacerts") is None
    assert yard.rows("cacerts")[-1]["status"] is None
    yard.faults.add("MALFORMED_EST_REPLY", content_type="text/html", body="<p>Log in")
    assert yard.enroll() == (200, {"Content-Type": "text/html"}, b"<p>Log in")


def test_request_with_two_names_is_refused(yard):
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, cn) for cn in (DEVICE, "root")]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    csr = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    assert yard.enroll(csr)[0] == 400


@pytest.mark.parametrize("field, value", [("needs", "nothing"), ("key", "ed25519")])
def test_impossible_rules_are_refused(yard, field, value):
    setattr(yard.est.rules, field, value)
    with pytest.raises(BadRequest, match="one of"):
        yard.est.rules.check()


def test_secrets_are_in_no_row_and_no_repr(yard):
    yard.enroll(user=DEVICE)
    yard.enroll(user=DEVICE, password="guessed")
    for text in (str(yard.journal.since()), repr(yard.est.rules), repr(yard.est)):
        assert SECRET not in text and "guessed" not in text


def test_request_that_needs_approval_must_come_again_the_same(yard):
    yard.est.rules.approval = True
    csr, other = request(DEVICE), request(DEVICE)
    status, headers, _ = yard.enroll(csr)
    assert (status, headers["Retry-After"]) == (202, "10")
    assert yard.enroll(csr)[0] == 202
    (waiting,) = yard.est.waiting
    assert yard.est.waiting[waiting] == DEVICE
    assert yard.est.approve("another") == []
    assert yard.est.approve() == [waiting]
    assert yard.enroll(other)[0] == 202
    assert yard.enroll(csr)[0] == 200
    assert len(yard.est.waiting) == 1
