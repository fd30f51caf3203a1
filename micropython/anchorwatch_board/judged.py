"""Our own judgement in the middle of a handshake, and the best word for what ended it.

Rule: what speaks against a chain is said before anything of ours is answered. A root past its end
that the core still offers is no offence (R2): if the library refuses it, that is the firmware's
matter and told as such.

Source: design sections 7 and 8.
"""

from anchorwatch.errors import LinkError
from anchorwatch.pki import guess, judge
from anchorwatch.pki.der import Certificate
from anchorwatch.pki.limits import Anchor

ROOT_EXPIRED = "root-expired"
_NO_LIMIT = {}


class Look:
    """Our judgement of the path that the library found, in the middle of a handshake. Of what it
    judges it keeps nothing but `seen` and `issuer_spki`: the library needs the room.

    anchors  names of those offered; der_of  DER of an anchor by its name
    """

    def __init__(self, order, anchors, der_of):
        self._order, self._anchors, self._der_of = order, anchors, der_of
        self.seen, self.issuer_spki, self.alone = None, "", b""

    def __call__(self, ders):
        order = self._order
        limits = [Anchor(self._der_of(name), order.limits.get(name, _NO_LIMIT))
                  for name in self._anchors]
        self.seen = seen = judge.judge(ders, order.host, order.judge_utc_s, order.profile,
                                       tuple(limits))
        if len(ders) == 1:
            self.alone = ders[0]
        if not seen.ok:
            raise spoken_against(seen.verdict, order)
        root = seen.chain[-1]
        if root not in self._anchors:
            raise LinkError("trust", self._unknown(ders[-1]))
        if root in seen.withheld:
            raise spoken_against(seen.withheld[root], order)
        if order.profile["all_ecc"] and Certificate(ders[-1]).rsa_bits():
            raise LinkError("policy", "not-ecc")
        self.issuer_spki = Certificate(ders[1]).spki_sha256

    def _unknown(self, der):
        """A signature that does not fit ends the path where its issuer is one of ours."""
        issuer = Certificate(der).issuer
        ours = [name for name in self._anchors
                if Certificate(self._der_of(name)).subject == issuer]
        return "bad-signature" if ours else "unknown-issuer"

    def past(self):
        """Whether nothing but the end of its root speaks against this path."""
        now_s = self._order.judge_utc_s
        if now_s is None or self.seen is None or not self.seen.ok:
            return False
        return self.seen.dates[-1][1] < now_s


def spoken_against(verdict, order):
    """A date is the clock's fault until the clock is authenticated."""
    fault = judge.fault(verdict)
    if fault == "clock" and order.profile["check_time"]:
        fault = "trust"
    return LinkError(fault, verdict)


def better(error, look):
    """The same error with the word that fits best."""
    if not isinstance(error, LinkError):
        return LinkError("policy", "malformed-handshake", error.value)
    if look is None or look.seen is None:
        return error
    if error.verdict == "expired" and look.past():
        return LinkError("policy", ROOT_EXPIRED)
    word = guess.better(error.verdict, look.seen, look.alone)
    if word in ("", error.verdict):
        return error
    return LinkError(error.fault, word, error.value)
