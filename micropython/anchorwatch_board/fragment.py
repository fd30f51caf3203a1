"""Short TLS records: by the optional C module of the firmware, else not at all.

Rule: a firmware without the module works, and says so where it was asked.

Source: RFC 6066 section 4; micropython/cmodule.
"""

from anchorwatch.errors import LinkError

OFF = "off"
UNAVAILABLE, REFUSED = "fragment-unavailable", "fragment-refused"
ABSENT = "fragment length: absent in this firmware"
IGNORED = "the server ignores it"


class Wish:
    """asked  bytes, None: nothing is asked for, for `reason`; must  without it no connection"""

    def __init__(self, asked, reason, must=False):
        self.asked, self.reason, self._must = asked, reason, must

    def outcome(self, length):
        """{"asked", "negotiated", "reason"}; length  that the server's hello agrees to, or 0."""
        if self.asked is None:
            return {"asked": None, "negotiated": None, "reason": self.reason}
        if self._must and length != self.asked:
            raise LinkError("policy", REFUSED, "%d for %d" % (length, self.asked))
        return {"asked": self.asked, "negotiated": length or None,
                "reason": "" if length else IGNORED}  # fmt: skip


class Records:
    """set_length  the module's function, None without one"""

    def __init__(self, set_length):
        self._set_length = set_length

    def wish(self, profile):
        """What the next context asks for; LinkError where it must and the firmware cannot."""
        wanted = profile["max_fragment"]
        size = 0 if wanted == OFF else profile["max_fragment_bytes"]
        if self._set_length is not None:
            self._set_length(size)
        if not size:
            return Wish(None, OFF)
        if self._set_length is None and wanted == "require":
            raise LinkError("policy", UNAVAILABLE, ABSENT)
        if self._set_length is None:
            return Wish(None, ABSENT)
        return Wish(size, "", wanted == "require")
