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
    """Our judgement of the path that the library found, in the middle of a handshake."""

    def __init__(self, order, anchors):
        self._order, self._anchors = order, anchors
        self.seen, self.leaf = None, b""

    def __call__(self, ders):
        order, self.leaf = self._order, ders[0]
        limits = [Anchor(der, order.limits.get(name, _NO_LIMIT))
                  for name, der in self._anchors.items()]
        self.seen = seen = judge.judge(ders, order.host, order.judge_utc_s, order.profile,
                                       tuple(limits))
        if not seen.ok:
            raise spoken_against(seen.verdict, order)
        root = seen.chain[-1]
        if root not in self._anchors:
            raise LinkError("trust", self._unknown(ders[-1]))
        if root in seen.withheld:
            raise spoken_against(seen.withheld[root], order)
        if order.profile["all_ecc"] and Certificate(ders[-1]).rsa_bits():
            raise LinkError("policy", "not-ecc")

    def _unknown(self, der):
        """A signature that does not fit ends the path where its issuer is one of ours."""
        issuer = Certificate(der).issuer
        ours = [one for one in self._anchors.values() if Certificate(one).subject == issuer]
        return "bad-signature" if ours else "unknown-issuer"

    def past(self, ders):
        """Whether nothing but the end of its root speaks against this path."""
        now_s = self._order.judge_utc_s
        if now_s is None or self.seen is None or not self.seen.ok:
            return False
        return Certificate(ders[-1]).not_after < now_s


def spoken_against(verdict, order):
    """A date is the clock's fault until the clock is authenticated."""
    fault = judge.fault(verdict)
    if fault == "clock" and order.profile["check_time"]:
        fault = "trust"
    return LinkError(fault, verdict)


def better(error, look, ders):
    """The same error with the word that fits best; ders  the path as far as the library told it."""
    if not isinstance(error, LinkError):
        return LinkError("policy", "malformed-handshake", error.value)
    if look is None or look.seen is None:
        return error
    if error.verdict == "expired" and look.past(ders):
        return LinkError("policy", ROOT_EXPIRED)
    word = guess.better(error.verdict, look.seen, look.leaf)
    if word in ("", error.verdict):
        return error
    return LinkError(error.fault, word, error.value)
