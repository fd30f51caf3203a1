"""The driver's part with keys: slots on the device's disk, and the issuers that it reaches.

Rule: real keys, requests and certificates; what goes wrong is said by the cloud, never here.
"""

import base64
import hashlib
import json

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from anchorwatch.core import actions, events

KEY_MS, CSR_MS, ISSUE_MS, INSTALL_MS = 50, 10, 300, 10


class Keyring:
    """`slots` {name: {"key", "csr", "chain", "proof"}} lies on the disk."""

    def chain_of(self, slot: str | None) -> list[bytes]:
        """What a dial with this slot shows."""
        if slot is None or slot == "onboarding":
            return self.credential.chain if slot else []
        return self.slots[slot]["chain"]

    def found_slots(self) -> dict:
        """What a start finds."""
        return {name: {**described(name, held["chain"]), **held["proof"]}
                if held["chain"] else {"pending": True}
                for name, held in self.slots.items()}  # fmt: skip

    def _new_key(self, order: actions.NewKey) -> None:
        reason = self.disk("slot-" + order.slot)
        if reason:
            self.later(KEY_MS, events.KeyFailed(order.slot, reason, ""))
            return
        key = ec.generate_private_key(ec.SECP256R1())
        self.slots[order.slot] = {"key": key, "csr": "", "chain": [], "proof": {}}
        self.later(KEY_MS, events.KeyMade(order.slot))

    def _make_csr(self, order: actions.MakeCsr) -> None:
        held = self.slots[order.slot]
        held["csr"] = held["csr"] or request(held["key"], order.cn)
        self.later(CSR_MS, events.CsrMade(order.slot, held["csr"]))

    def _enroll(self, order: actions.Enroll) -> None:
        watch = self.watch
        at_ms = self.cloud.now_ms + ISSUE_MS
        self.cloud.at(at_ms, lambda: self._issued(order) if self.watch is watch else None)

    def _issued(self, order: actions.Enroll) -> None:
        self.hear(self.cloud.issue(order, self.chain_of(order.with_slot)))

    def _install(self, order: actions.Install) -> None:
        held = self.slots[order.slot]
        wrong = self.disk("slot-" + order.slot) or unfit(held["key"], order)
        if wrong:
            self.later(INSTALL_MS, events.InstallRefused(order.slot, wrong, order.cn))
            return
        held["chain"] = list(order.chain)
        told = described(order.slot, held["chain"])
        self.later(INSTALL_MS, events.Installed(order.slot, told))

    def _prove(self, order: actions.Prove) -> None:
        name = "slot-" + order.slot
        reason = self.disk(name)
        self.saves.append((self.cloud.now_ms, name))
        if reason:
            self.later(0, events.SaveFailed(name, reason))
            return
        proof = {"assignment": order.assignment, "evidence": order.evidence}
        self.slots[order.slot]["proof"] = json.loads(json.dumps(proof))
        self.later(0, events.Saved(name, len(self.saves)))

    def _wipe_key(self, order: actions.WipeKey) -> None:
        if order.slot == "onboarding":
            self.credential.chain = []
        self.slots.pop(order.slot, None)
        self.later(INSTALL_MS, events.KeyWiped(order.slot, ""))


def request(key: ec.EllipticCurvePrivateKey, cn: str) -> str:
    """PKCS#10 in base64."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def unfit(key: ec.EllipticCurvePrivateKey, order: actions.Install) -> str:
    """Why a chain is not for this slot; "" when it is."""
    leaf = x509.load_der_x509_certificate(order.chain[0])
    if leaf.public_key() != key.public_key():
        return "wrong-key"
    if common_name(leaf.subject) != order.cn:
        return "wrong-name"
    return "expired" if leaf.not_valid_after_utc.timestamp() < order.judge_utc_s else ""


def described(slot: str, chain: list[bytes]) -> dict:
    """As the driver describes an issued credential to the core."""
    leaf = x509.load_der_x509_certificate(chain[0])
    above = {name: hashlib.new(name, chain[1]).hexdigest() if chain[1:] else ""
             for name in ("sha1", "sha256")}  # fmt: skip
    return {
        "kind": "x509", "slot": slot, "fingerprint": hashlib.sha256(chain[0]).hexdigest(),
        "sha1": hashlib.sha1(chain[0]).hexdigest(), "key": "ec-p256",
        "not_before": int(leaf.not_valid_before_utc.timestamp()),
        "not_after": int(leaf.not_valid_after_utc.timestamp()), "cn": common_name(leaf.subject),
        "issuer": {"cn": common_name(leaf.issuer), **above, "not_after": ends_s(chain[1:2])},
    }  # fmt: skip


def ends_s(chain: list[bytes]) -> int | None:
    """When the first of these ends."""
    found = [x509.load_der_x509_certificate(der) for der in chain]
    return int(found[0].not_valid_after_utc.timestamp()) if found else None


def common_name(name: x509.Name) -> str:
    """The CN."""
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
