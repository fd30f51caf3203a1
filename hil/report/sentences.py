"""Rows of the timeline as sentences: the terminal narrates with them, the page lists them.

Rule: one function a kind of row; what changes nothing a reader cares about is no sentence.
"""

WAITS = {
    "waiting for hub": "waits before it dials the hub again",
    "waiting for dps": "waits before it asks DPS",
    "registering": "asks DPS which hub it belongs to",
    "dialing hub": "dials the hub",
}

BUNDLE = {
    "candidate": "fetched, verified and on the disk; probes endpoints with its roots",
    "trial": "on trial: its roots are in force, and every endpoint is dialled anew",
    "committed": "committed",
    "reverted": "rolled back to the roots before",
}


class Teller:
    """tell(row) -> a sentence, or "" for what is not worth one. Remembers what it said last."""

    def __init__(self, root_name) -> None:
        self._root_name = root_name
        self._connection = self._ladder = self._anchor = self._address = ""
        self._fault: tuple = ()

    def tell(self, row: dict) -> str:
        """One sentence about one row."""
        method = _METHODS.get((row["who"], row["what"]))
        return method(self, row) if method else ""

    def _state(self, row: dict) -> str:
        before, now = self._connection, row["machines"]["connection"]
        ladder_before, self._ladder = self._ladder, row["machines"].get("ladder", "")
        self._connection = now
        if now == "online":
            return self._online(row, before)
        if self._ladder != ladder_before and self._ladder not in ("", "clear"):
            return "climbs the ladder: rung %s" % self._ladder
        return WAITS.get(now, "") if now != before else ""

    def _online(self, row: dict, before: str) -> str:
        seen = (row["anchor"], row["address"])
        if before == "online" or not row["anchor"]:
            return ""
        moved = before in ("swapping", "adrift")
        if not moved and (self._anchor, self._address) == seen and before != "connecting":
            return ""
        self._anchor, self._address = seen
        verb = "has moved: the session now stands" if moved else "is online"
        return "%s at %s (%s), under %s" % (verb, row["hub"], seen[1], self._root_name(seen[0]))

    def _fault_told(self, row: dict) -> str:
        about = (row["class"], row["verdict"])
        if about == self._fault:
            return ""
        self._fault = about
        return "fault of class %s: %s" % (row["class"], row["said"])

    def _gap(self, row: dict) -> str:
        if not row["open"]:
            return "the trust gap at the %s is closed" % row["endpoint"]
        stays = "; the live session stays" if self._connection == "online" else ""
        return "TRUST GAP: the %s presents %s and no root here fits%s" % (
            row["endpoint"], row["presented"], stays)  # fmt: skip

    def _reverify(self, row: dict) -> str:
        if "changed" in row:
            return "the second handshake shows another %s; it will look again before it moves" % (
                row["changed"])  # fmt: skip
        return ""

    def _swap(self, row: dict) -> str:
        if "why" in row:
            return "two handshakes agree: moves the session (%s)" % row["why"]
        return "the new link was refused (%s): stays on the old one" % row.get("refused")

    def _trust(self, row: dict) -> str:
        return "takes the %s layer into force: %d roots" % (row["layer"], row["anchors"])

    def _bundle(self, row: dict) -> str:
        if "reason" in row:
            return "no bundle of the %s: %s" % (row["layer"], row["reason"])
        return "bundle %s of the %s: %s" % (
            row["version"], row["layer"], BUNDLE.get(row["stage"], row["stage"]))  # fmt: skip

    def _emergency(self, row: dict) -> str:
        return "found in need: %s from the reserve carries the %s" % (
            self._root_name(row["anchor"]), row["endpoint"])  # fmt: skip

    def _identity(self, row: dict) -> str:
        if row.get("rolled"):
            return "its new certificate is proven and serves: slot %s" % row["active"]
        return "another of its credentials serves: slot %s" % row["active"]

    def _warning(self, row: dict) -> str:
        return "warning: %s (%s)" % (row["said"], row.get("value"))

    def _connected(self, row: dict) -> str:
        return "%s accepts the session" % row.get("host", "the hub")

    def _refused(self, row: dict) -> str:
        return "refuses the session: %s" % row["reason"]

    def _disconnected(self, row: dict) -> str:
        return "a session ends: %s" % row["reason"]

    def _register(self, row: dict) -> str:
        if row["status"] == 429:
            return "answers a registration with 429, too many requests"
        return "takes a registration (%s)" % row["status"]

    def _assigned(self, row: dict) -> str:
        return "assigns the device to %s" % row["hub"]

    def _chain(self, row: dict) -> str:
        return "%s now presents the chain %s" % (row["of"], row["name"])

    def _listen(self, row: dict) -> str:
        if not row["up"]:
            return "%s %s" % (row["of"], "dies without a word" if row["freeze"] else "goes down")
        return "%s listens at %s" % (row["of"], row["address"] or "its address")

    def _resolve(self, row: dict) -> str:
        return "the name service follows: %s" % ", ".join(
            "%s is at %s" % (name, " ".join(to or ["nowhere"])) for name, to in row["lines"].items()
        )

    def _enrollment(self, row: dict) -> str:
        return "changes enrollment %s (hub %s)" % (row["enrollment"], row["hub"])

    def _mirror(self, row: dict) -> str:
        if "release" not in row:
            return ""
        roots = [(name, how["state"] if isinstance(how, dict) else how)
                 for name, how in row["release"]["roots"].items()]  # fmt: skip
        return "publishes bundle %s at the mirror: %s" % (
            row["versions"]["targets"], ", ".join("%s %s" % root for root in roots))  # fmt: skip

    def _scripted(self, row: dict) -> str:
        return "scripts a fault: %s" % row["name"]

    def _command(self, row: dict) -> str:
        return "on the device: %s" % row["words"]

    def _file(self, row: dict) -> str:
        return "puts %s on the device" % row["name"]

    def _deleted(self, row: dict) -> str:
        return "forgets the device"


_METHODS = {
    ("agent", "state"): Teller._state,
    ("agent", "fault"): Teller._fault_told,
    ("agent", "gap"): Teller._gap,
    ("agent", "reverify"): Teller._reverify,
    ("agent", "swap"): Teller._swap,
    ("agent", "trust"): Teller._trust,
    ("agent", "bundle"): Teller._bundle,
    ("agent", "emergency_anchor"): Teller._emergency,
    ("agent", "identity"): Teller._identity,
    ("agent", "warning"): Teller._warning,
    ("hub", "connected"): Teller._connected,
    ("hub", "connect refused"): Teller._refused,
    ("hub", "disconnected"): Teller._disconnected,
    ("hub", "device deleted"): Teller._deleted,
    ("dps", "register"): Teller._register,
    ("dps", "assigned"): Teller._assigned,
    ("dps", "connect refused"): Teller._refused,
    ("operator", "chain"): Teller._chain,
    ("operator", "listen"): Teller._listen,
    ("operator", "resolve"): Teller._resolve,
    ("operator", "enrollment"): Teller._enrollment,
    ("operator", "mirror"): Teller._mirror,
    ("operator", "fault scripted"): Teller._scripted,
    ("operator", "command"): Teller._command,
    ("operator", "file"): Teller._file,
}
