"""Commands on the site layer: add, distrust, list, explain. Rule: nothing is in force before it is
on the disk.

Source: design section 7 and section 12.
"""

from ..errors import RootsRejected
from .actions import Save, Tell
from .answers import refuse, reply, warning
from .meanings import LookNow
from .shapes import Any_, Event, Items, Tree
from .trust import Trust


class Roots:
    """Takes Asked("roots_..."), and Saved or SaveFailed of the files it wrote."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._pending: Tree = {}  # file name: (ask_id, anchors, distrust)

    def asked(self, event: Event, now: int) -> Items:
        """One command; the answer comes at once or after Saved."""
        arguments = event.arguments
        if event.what == "roots_list":
            return [reply(event.ask_id, {"roots": self._trust.listing()})]
        if event.what == "roots_explain":
            sha256 = arguments.get("sha256", "")
            return [reply(event.ask_id, {"sha256": sha256, "why": self._trust.explain(sha256)})]
        if event.what == "roots_add":
            return self._add(event.ask_id, arguments["entry"], arguments["pem"])
        return self._distrust(event.ask_id, arguments.get("sha256", ""))

    def _add(self, ask_id: str, entry: Tree, pem: str) -> Items:
        site, sha256 = self._trust.layer("site"), entry["sha256"]
        if sha256 in site["distrust"] or entry["spki_sha256"] in site["distrust"]:
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
        return self._try(ask_id, "site/%s.pem" % sha256, pem, others + [entry], site["distrust"])

    def _distrust(self, ask_id: str, sha256: str) -> Items:
        site = self._trust.layer("site")
        if sha256 in site["distrust"]:
            return [reply(ask_id, {"sha256": sha256, "changed": False})]
        distrust = sorted(site["distrust"] + [sha256])
        text = "".join([line + "\n" for line in distrust])
        return self._try(ask_id, "site/distrust", text, site["anchors"], distrust)

    def _try(
        self, ask_id: str, name: str, text: str, anchors: list[Any_], distrust: list[Any_]
    ) -> Items:
        """Rehearse on the store, then write; the store itself changes when the file is safe."""
        try:
            self._trust.check("site", anchors, distrust)
        except RootsRejected as error:
            return [refuse(ask_id, error.what, error.value, error.remedy)]
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
            Tell("trust", {"layer": "site", "anchors": len(anchors), "distrust": len(distrust)}),
            reply(ask_id, {"changed": True}),
            LookNow(False),
        ]

    def save_failed(self, event: Event, now: int) -> Items:
        """The file is not on the disk: everything is as it was."""
        if event.name not in self._pending:
            return []
        ask_id = self._pending.pop(event.name)[0]
        return [
            refuse(ask_id, "not written: " + event.reason, event.name, "make room, then repeat", 3)
        ]

    def layer_read(self, event: Event, now: int) -> Items:
        """The driver read a layer again."""
        try:
            self._trust.load(event.layer, event.anchors, event.distrust)
        except RootsRejected as error:
            return [
                warning(
                    "layer %s not taken: %s" % (event.layer, error.what), error.value, error.remedy
                )
            ]
        return [
            Tell(
                "trust",
                {
                    "layer": event.layer,
                    "anchors": len(event.anchors),
                    "distrust": len(event.distrust),
                },
            ),
            LookNow(False),
        ]
