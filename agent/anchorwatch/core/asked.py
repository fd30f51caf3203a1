"""Commands of the operator, the cloud and a neighbour. Rule: every Asked is answered once, by
Tell("answer").

Source: design section 12, contract section 4.
"""

from .answers import refuse, reply
from .lifecycle import CONFIRMING, ONLINE, RESTING, WAITING_FOR_DPS, WAITING_FOR_HUB
from .meanings import DpsLater, Hastened, HubLater, LookNow, RegisterBeside
from .rollcommands import RollCommands
from .shapes import Event, Items, Watch

TRY_LATER = 3


class Commands:
    """asked(event, now); `watch` holds the machines."""

    def __init__(self, watch: Watch) -> None:
        self._watch, self._rolls = watch, RollCommands(watch)

    def asked(self, event: Event, now: int) -> Items:
        """Answer one command and set off what it asks for."""
        does = {
            "reverify": self._reverify,
            "reprovision": self._reprovision,
            "told": self._told,
            "status": self._status,
            "reply": self._reply,
        }.get(event.what)
        if does is not None:
            return does(event, now)
        if event.what == "roll" or event.what.startswith("identity_"):
            return self._rolls.asked(event, now)
        if event.what == "clock_reset":
            from .roots import reset

            return reset(self._watch.clock, self._watch.trust, event.ask_id)
        if event.what.startswith("roots_"):
            out: Items = self._watch.roots.asked(event, now)
            return out
        return [refuse(event.ask_id, "unknown command", event.what, "see `anchorwatch --help`")]

    def _status(self, event: Event, now: int) -> Items:
        return [reply(event.ask_id, self._watch.status(now))]

    def _reverify(self, event: Event, now: int) -> Items:
        """With a session: a second look at once. Without one: dial now."""
        watch, state = self._watch, self._watch.connection.state
        if state == WAITING_FOR_HUB:
            return [reply(event.ask_id, {"looking": "dialing"}), HubLater(0)]
        if watch.reverify.state not in (RESTING, CONFIRMING) or watch.reverify.taken:
            return [
                refuse(
                    event.ask_id,
                    "busy",
                    watch.reverify.state if state == ONLINE else state,
                    "ask again in a minute",
                    TRY_LATER,
                )
            ]
        return [
            reply(event.ask_id, {"looking": "second handshake"}),
            LookNow(bool(event.arguments.get("swap"))),
        ]

    def _reprovision(self, event: Event, now: int) -> Items:
        watch, state = self._watch, self._watch.connection.state
        if not watch.config.dps.host:
            return [
                refuse(
                    event.ask_id,
                    "no provisioning service is configured",
                    "[dps]",
                    "add [dps] host and [device] id_scope",
                )
            ]
        if watch.device.slots.withheld("next"):
            remedy = "its successor registers; see `anchorwatch identity show`"
            return [refuse(event.ask_id, "the key was breached", state, remedy, TRY_LATER)]
        held_ms = watch.dps_faults.held_ms(now)
        if held_ms:
            asked = "the provisioning service asked to wait"
            left = "%d s more" % (held_ms // 1000 + 1)
            return [refuse(event.ask_id, asked, left, "ask again then", TRY_LATER)]
        if state == ONLINE and watch.reverify.state == RESTING and not watch.commit.probing:
            watch.device.reprovision_asked = True
            return [reply(event.ask_id, {"registering": "beside the session"}), RegisterBeside()]
        if state in (WAITING_FOR_HUB, WAITING_FOR_DPS):
            watch.device.reprovision_asked = True
            return [reply(event.ask_id, {"registering": "now"}), DpsLater(0)]
        return [refuse(event.ask_id, "busy", state, "ask again in a minute", TRY_LATER)]

    def _told(self, event: Event, now: int) -> Items:
        """A neighbour's word on the credential: "unauthorized" ends patience, "connected" has no
        effect on an own session."""
        watch, word = self._watch, event.arguments.get("word", "")
        if word not in ("unauthorized", "connected"):
            return [refuse(event.ask_id, "unknown word", str(word), "unauthorized or connected")]
        if watch.connection.state not in (WAITING_FOR_HUB, WAITING_FOR_DPS):
            return [reply(event.ask_id, {"taken": False, "state": watch.connection.state})]
        if word == "connected":
            go = HubLater(0) if watch.device.hub else DpsLater(0)
            return [reply(event.ask_id, {"taken": True}), go]
        next_steps: Items = watch.ladder.handle(Hastened(), now)
        return [reply(event.ask_id, {"taken": True})] + next_steps

    def _reply(self, event: Event, now: int) -> Items:
        """The application's answer to a direct method."""
        arguments = event.arguments
        sent: Items = self._watch.methods.reply(
            arguments["rid"], arguments["status"], arguments["payload"]
        )
        return sent + [reply(event.ask_id, {"sent": bool(sent)})]
