"""Issuer `est`: a request goes to an EST server, verified as every other server is.

Rule: blocking, so it runs in an errand. Our certificate and password leave only after the server's
flight was judged; every operation is a connection of its own, bounded in bytes and in time. What
the server calls its CAs completes our chain, and is trusted for nothing.

Source: RFC 7030 and RFC 8951.
"""

from ..core.events import Issued, IssueLater, IssueRefused
from ..errors import AgentError, ConfigError, LinkError, MalformedMessage, plain
from ..pki import asn1, certsonly
from ..pki.algorithms import key_name
from ..pki.csr import Request
from ..pki.issued import COUNT_AT_MOST, completed, ordered
from ..wire import est, http
from ..wire.encoding import base64_bytes
from .clock import converse
from .issuerwords import refused
from .keyfiles import read_est_auth
from .patience import Patience

EXCHANGE_S = 90.0
_TEXT_AT_MOST = 160
# What a request of ours has, by the key: curve, key type and signatures that CAs ask for by name.
_EC = ("1.2.840.10045.2.1", "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3")
_HAS = {
    "ec-p256": (*_EC, "1.2.840.10045.3.1.7"),
    "ec-p384": (*_EC, "1.3.132.0.34"),
    "rsa-2048": ("1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"),
}
_PLEASE = "see whether the CA insists; [identity] key says what our keys are"


def enroll(order, settings, dialer, patience: Patience):
    """(event, warnings), see issuers.py; settings are those of [est]."""
    session = _Session(order, settings, dialer, patience)
    try:
        session.open()
        return session.enroll(), session.warnings
    except LinkError as error:
        return IssueRefused(order.slot, error.fault, error.verdict, error.value,
                            getattr(error, "presented", []), getattr(error, "chain", []), 0), []
    except AgentError as error:
        return refused(order, "policy", "issuer-malformed", _said(error)), session.warnings


class _Way:
    """Where an operation goes, as a Dialer wants to be told."""

    endpoint = "est"

    def __init__(self, order) -> None:
        self.host, self.port, self.proxy = order.host, order.port, order.proxy
        self.profile, self.judge_utc_s = order.profile, order.judge_utc_s
        self.anchors, self.limits = order.anchors, order.limits


class _Session:
    """One enrollment."""

    def __init__(self, order, settings, dialer, patience: Patience) -> None:
        self._order, self._settings = order, settings
        self._dialer, self._patience = dialer, patience
        self._way, self._where = _Way(order), (order.host, order.port, settings.label)
        self.warnings: list[tuple[str, str, str]] = []

    def open(self) -> None:
        """Read what the server wants to know of us."""
        self._authorization = _basic(self._settings.auth_file)

    def enroll(self):
        """The whole conversation."""
        self._ask_attributes()
        answer = self._post(est.REENROLL if self._order.renew else est.ENROLL)
        if self._order.renew and answer.status in est.MISSING:
            answer = self._post(est.ENROLL)
        if answer.status == 200:
            return Issued(self._order.slot, self._chain(answer))
        retry_after_s = est.retry_after_s(answer.headers)
        if answer.status == 202:
            return IssueLater(self._order.slot, retry_after_s, "the EST server has not decided yet")
        fault, verdict = _meant(answer.status)
        return refused(self._order, fault, verdict, _words(answer), retry_after_s)

    def _chain(self, answer: http.Response) -> list[bytes]:
        """What was issued, completed by the server's list where it ends too early."""
        found = certsonly.certificates(est.der(answer.body), COUNT_AT_MOST)
        path = ordered(found, Request(base64_bytes(self._order.csr)).spki)
        if path[-1].self_issued:
            return [one.der for one in path]
        try:
            listed = self._get(est.CACERTS)
            if listed.status != 200:
                raise MalformedMessage("status %d" % listed.status)
            others = certsonly.certificates(est.der(listed.body), COUNT_AT_MOST)
        except AgentError as error:
            self._warn("EST server does not list its CAs", error.what,
                       "the certificate is shown as it was issued")
            others = []
        return completed(path, others)

    def _ask_attributes(self) -> None:
        """What a request cannot have is told, and the CA decides."""
        answer = self._get(est.CSRATTRS)
        if answer.status != 200 or not answer.body.strip():
            return
        try:
            wanted = certsonly.wanted(est.der(answer.body))
            spki = Request(base64_bytes(self._order.csr)).spki
            has = _HAS.get(key_name(asn1.only(spki)), ())
        except AgentError as error:
            self._warn("EST server's csrattrs cannot be read", error.what, _PLEASE)
            return
        missing = [oid for oid in wanted if oid not in has]
        if missing:
            self._warn("EST server asks for more than our requests have", ", ".join(missing),
                       _PLEASE)

    def _get(self, operation: str) -> http.Response:
        return self._exchange("GET", est.asking(*self._where, operation))

    def _post(self, operation: str) -> http.Response:
        return self._exchange("POST", est.enrolling(*self._where, operation, self._order.csr,
                                                    self._authorization))

    def _exchange(self, method: str, asked: bytes) -> http.Response:
        opened = self._dialer.open(self._way, self._order.with_slot, self._patience)
        try:
            return converse(opened.sock, asked, http.Response(method, est.BODY_AT_MOST),
                            self._patience.at_most(EXCHANGE_S))
        finally:
            opened.sock.close()

    def _warn(self, what: str, value: str, remedy: str) -> None:
        self.warnings.append((what, value, remedy))


def _basic(path: str) -> dict[str, str]:
    if not path:
        return {}
    try:
        pair = read_est_auth(path).strip(b"\r\n")
    except ConfigError as error:
        raise LinkError("policy", "est-credentials", error.value, error.remedy) from error
    if b":" not in pair or [byte for byte in pair if byte < 32 or byte == 127]:
        raise LinkError("policy", "est-credentials", path, "write USER:PASSWORD into it, one line")
    return est.basic(pair)


def _meant(status: int) -> tuple[str, str]:
    """Class and word of an answer that is no certificate."""
    fault = est.fault(status)
    if 300 <= status < 400:
        return fault, "issuer-moved"
    words = {"identity": "issuer-unauthorized", "throttled": "issuer-busy",
             "policy": "issuer-refused"}  # fmt: skip
    return fault, words.get(fault) or ("issuer-busy" if status == 503 else "issuer-failed")


def _words(answer: http.Response) -> str:
    """The server's own words, as far as they can be shown."""
    text = " ".join(answer.body.decode("utf-8", "replace").split())
    said = plain(text, _TEXT_AT_MOST) or answer.headers.get("location", "")
    return ("%d %s" % (answer.status, said)).strip()


def _said(error: AgentError) -> str:
    return ": ".join([part for part in (error.what, error.value) if part])
