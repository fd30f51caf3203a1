"""Commands on the root store: list, explain, history; add and distrust in the site layer; import
and revert of signed bundles.

Rule: nothing is in force before it is on the disk; a dry run says what would be and writes nothing.
Source: design section 7 and section 12.
"""

from ..errors import RootsRejected
from . import explain
from .actions import Save, Tell
from .anchors import Anchors
from .answers import refuse, reply, warning
from .bundlemeanings import TakeBack
from .clock import BUILD_UTC_S, NONE, Clock
from .device import Device
from .remedies import to_write
from .rules import row_of
from .shapes import Any_, Event, Items, Tree
from .trust import Trust
from .trustmeanings import TrustChanged


class Roots:
    """Takes Asked("roots_..."), and Saved or SaveFailed of the site files it wrote."""

    def __init__(self, device: Device, commit: Any_, bundles: Any_) -> None:
        self._trust, self._device = device.trust, device
        self._commit, self._bundles = commit, bundles
        self._pending: Tree = {}  # file name: (ask_id, anchors, distrust)

    def asked(self, event: Event, now: int) -> Items:
        """One command; the answer comes at once, or when the disk or the place has answered."""
        arguments, ask_id = event.arguments, event.ask_id
        if event.what == "roots_list":
            return [reply(ask_id, {"roots": explain.listing(self._trust)})]
        if event.what == "roots_explain":
            sha256 = arguments.get("sha256", "")
            why = explain.reasons(self._trust, sha256)
            return [reply(ask_id, {"sha256": sha256, "why": why})]
        if event.what == "roots_history":
            return [reply(ask_id, {"history": self._trust.history})]
        if event.what == "roots_import":
            return self._import(ask_id, arguments)
        if event.what == "roots_revert":
            return self._take_back(ask_id, arguments)
        if "site" in self._bundles.rooted:
            remedy = "sign it into the site's bundle: roots import --layer site"
            return [refuse(ask_id, "the site layer is a signed bundle", "site", remedy)]
        return self._site(event, now)

    def _site(self, event: Event, now: int) -> Items:
        arguments, ask_id = event.arguments, event.ask_id
        dry_run = bool(arguments.get("dry_run"))
        if event.what == "roots_add":
            return self._add(ask_id, arguments["entry"], arguments["pem"], dry_run)
        sha256, at_once = arguments.get("sha256", ""), bool(arguments.get("now"))
        return self._distrust(ask_id, sha256, at_once, dry_run, now)

    def _import(self, ask_id: str, arguments: Tree) -> Items:
        out: Items = self._bundles.asked(ask_id, arguments)
        return out

    def _take_back(self, ask_id: str, arguments: Tree) -> Items:
        """The operator wants the anchors before the last bundle."""
        layer = arguments.get("layer", "vendor")
        record = self._trust.bundles.get(layer)
        if record is None or record["stage"] in ("rooted", "reverted") or not record["folder"]:
            return [refuse(ask_id, "no bundle to take back", str(layer), "see roots history")]
        if not self._commit.accepts(layer):
            later = "ask again in a minute"
            return [refuse(ask_id, "busy", self._commit.state, later, 3)]
        try:
            self._trust.check(layer, self._commit.former(layer))
        except RootsRejected as error:
            return [refuse(ask_id, error.what, error.value, error.remedy)]
        if arguments.get("dry_run"):
            return [reply(ask_id, {"version": record["version"], "would": "be taken back"})]
        self._commit.turn_to(layer)
        done = reply(ask_id, {"changed": True, "version": record["version"]})
        return [TakeBack("operator"), done]

    def _add(self, ask_id: str, entry: Tree, pem: str, dry_run: bool) -> Items:
        site, sha256 = self._trust.layer("site"), entry["sha256"]
        hashes = [row_of(item)["hash"] for item in site["distrust"]]
        if sha256 in hashes or entry["spki_sha256"] in hashes:
            return [
                refuse(
                    ask_id,
                    "the site layer distrusts this root",
                    sha256,
                    "take its line out of site/distrust first",
                )
            ]
        others = [e for e in site["anchors"] if e["sha256"] != sha256]
        if len(others) < len(site["anchors"]):
            return [reply(ask_id, {"sha256": sha256, "changed": False})]
        anchors = others + [entry]
        name = "site/%s.pem" % sha256
        return self._try(ask_id, name, pem, anchors, site["distrust"], dry_run)

    def _distrust(self, ask_id: str, sha256: str, at_once: bool, dry_run: bool, now: int) -> Items:
        site = self._trust.layer("site")
        item: Any_ = dict(row_of(sha256), hold_s=0) if at_once else sha256
        if item in site["distrust"]:
            return [reply(ask_id, {"sha256": sha256, "changed": False})]
        others = [i for i in site["distrust"] if row_of(i)["hash"] != sha256]
        distrust = others + [item]
        text = "".join(sorted([_line(item) for item in distrust]))
        out = self._try(ask_id, "site/distrust", text, site["anchors"], distrust, dry_run)
        return self._held(distrust, now) + out if isinstance(out[0], Save) else out

    def _held(self, distrust: Items, now: int) -> Items:
        """What must be held goes to the disk before the distrust that makes it necessary (R5)."""
        content = {"anchors": self._trust.layer("site")["anchors"], "distrust": distrust}
        return self._hold(self._trust.check("site", content), now)

    def _hold(self, view: Anchors, now: int) -> Items:
        issued_s = self._device.clock.utc(now) or self._trust.anchors.judged_utc_s
        out = self._trust.hold(view, [], issued_s, now)
        return out + [self._trust.save()] if out else []

    def _try(
        self, ask_id: str, name: str, text: str, anchors: Items, distrust: Items, dry_run: bool
    ) -> Items:
        """Rehearse on the store, then write; the store itself changes when the file is safe."""
        try:
            view = self._trust.check("site", {"anchors": anchors, "distrust": distrust})
        except RootsRejected as error:
            return [refuse(ask_id, error.what, error.value, error.remedy)]
        if dry_run:
            told = {e: view.offered(e) for e in self._trust.endpoints}
            return [reply(ask_id, {"changed": False, "would_offer": told})]
        if self._pending:
            return [refuse(ask_id, "busy", sorted(self._pending)[0], "ask again in a second", 3)]
        self._pending[name] = (ask_id, anchors, distrust)
        return [Save(name, text)]

    def saved(self, event: Event, now: int) -> Items:
        """The file is on the disk: put it into force and look at every endpoint again."""
        if event.name not in self._pending:
            return []
        ask_id, anchors, distrust = self._pending.pop(event.name)
        try:
            self._trust.load("site", anchors, distrust)
        except RootsRejected as error:  # another layer changed while this one was written
            return [refuse(ask_id, error.what, error.value, error.remedy)]
        return [
            _told("site", anchors, distrust),
            reply(ask_id, {"changed": True}),
            TrustChanged(),
        ]

    def save_failed(self, event: Event, now: int) -> Items:
        """The file is not on the disk: everything is as it was."""
        if event.name not in self._pending:
            return []
        ask_id = self._pending.pop(event.name)[0]
        remedy = to_write(event.reason) + ", then repeat"
        return [refuse(ask_id, "not written: " + event.reason, event.name, remedy, 3)]

    def layer_read(self, event: Event, now: int) -> Items:
        """The driver read a layer again; a site bundle has taken the place of the site's folder."""
        if event.layer in self._bundles.rooted:
            return []
        content = {"anchors": event.anchors, "distrust": event.distrust}
        try:
            held = self._hold(self._trust.check(event.layer, content), now)
        except RootsRejected as error:
            what = "layer %s not taken: %s" % (event.layer, error.what)
            return [warning(what, error.value, error.remedy, "trust")]
        self._trust.load(event.layer, event.anchors, event.distrust)
        return held + [_told(event.layer, event.anchors, event.distrust), TrustChanged()]


def reset(clock: Clock, trust: Trust, ask_id: str) -> Items:
    """`clock reset`: the floor goes back to the build's date, unless an endpoint were left without
    an anchor by it (R1): one that waits for its date would wait again."""
    before = clock.floor_utc_s
    bare = trust.anchors.bare_at(BUILD_UTC_S, trust.endpoints) if clock.standing == NONE else []
    if bare:
        remedy = "set the time first, or bring a bundle with floor_reset"
        what = "this would leave no trust anchor for"
        return [refuse(ask_id, what, ", ".join(bare), remedy)]
    out = clock.reset(BUILD_UTC_S)
    told = {"changed": bool(out), "before_utc_s": before, "floor_utc_s": clock.floor_utc_s}
    return out + [reply(ask_id, told), TrustChanged()]


def _told(layer: str, anchors: Items, distrust: Items) -> Tell:
    return Tell("trust", {"layer": layer, "anchors": len(anchors), "distrust": len(distrust)})


def _line(item: Any_) -> str:
    """A line of site/distrust: `now` is for one that nothing holds."""
    row = row_of(item)
    return "%s%s\n" % (row["hash"], "" if row["hold_s"] else " now")
