"""The connection table: every state, what may come in it, what follows. Rule: names of states and
tables, nothing else.

Three machines share the two links: the session (link live), the registration at DPS (the link it
is given), the
second look (link next). The ladder of `unauthorized.py` has its own table beside its rungs.
tests/timelines/diagrams.py prints diagrams from here.
"""

from ..constants import const

IDLE = const("idle")
WEIGHING = const("weighing")
WAITING_FOR_HUB = const("waiting for hub")
WAITING_FOR_DPS = const("waiting for dps")
REGISTERING = const("registering")
SETTLING = const("settling")
DIALING_HUB = const("dialing hub")
SIGNING = const("signing")
CONNECTING = const("connecting")
ONLINE = const("online")
REPROVISIONING = const("reprovisioning")
SETTLING_BESIDE = const("settling beside")
SWAPPING = const("swapping")
ADRIFT = const("adrift")
LOOKING_UP = const("looking up")
STOPPED = const("stopped")

# fmt: off
CONNECTION = (
    # in              on                go to            and
    (IDLE,            "HubLater",       WAITING_FOR_HUB, "wait"),
    (IDLE,            "DpsLater",       WAITING_FOR_DPS, "wait"),

    (WAITING_FOR_HUB, "Woke",           DIALING_HUB,     "dial"),
    (WAITING_FOR_HUB, "HubLater",       WAITING_FOR_HUB, "wait"),
    (WAITING_FOR_HUB, "DpsLater",       WAITING_FOR_DPS, "wait"),
    (WAITING_FOR_DPS, "Woke",           REGISTERING,     "register"),
    (WAITING_FOR_DPS, "HubLater",       WAITING_FOR_HUB, "wait"),
    (WAITING_FOR_DPS, "DpsLater",       WAITING_FOR_DPS, "wait"),

    (REGISTERING,     "Assigned",       SETTLING,        "settle"),
    (REGISTERING,     "Unregistered",   WEIGHING,        "weigh_dps"),
    (SETTLING,        "Saved",          DIALING_HUB,     "dial"),
    (SETTLING,        "SaveFailed",     DIALING_HUB,     "dial"),
    (SETTLING,        "Woke",           DIALING_HUB,     "dial"),
    (SETTLING,        "HubLater",       WAITING_FOR_HUB, "wait"),

    (DIALING_HUB,     "Verified",       SIGNING,         "sign"),
    (DIALING_HUB,     "Failed",         WEIGHING,        "weigh"),
    (DIALING_HUB,     "Woke",           WEIGHING,        "silent"),
    (SIGNING,         "Signed",         CONNECTING,      "connect"),
    (SIGNING,         "Failed",         WEIGHING,        "weigh"),
    (SIGNING,         "Disconnected",   WEIGHING,        "weigh"),
    (SIGNING,         "Woke",           WEIGHING,        "silent"),
    (CONNECTING,      "Connected",      ONLINE,          "welcome"),
    (CONNECTING,      "Refused",        WEIGHING,        "weigh"),
    (CONNECTING,      "Disconnected",   WEIGHING,        "weigh"),
    (CONNECTING,      "Woke",           WEIGHING,        "silent"),

    (ONLINE,          "Disconnected",   WEIGHING,        "lose"),
    (ONLINE,          "Joining",        SWAPPING,        "note"),
    (ONLINE,          "RegisterBeside", REPROVISIONING,  "register_beside"),
    (ONLINE,          "Renew",          WAITING_FOR_HUB, "renew"),
    (ONLINE,          "RegisterAlone",  WAITING_FOR_DPS, "renew"),
    (REPROVISIONING,  "Assigned",       SETTLING_BESIDE, "settle"),
    (REPROVISIONING,  "Unregistered",   ONLINE,          "stay_here"),
    (REPROVISIONING,  "Disconnected",   REGISTERING,     "carry_on"),
    (SETTLING_BESIDE, "Saved",          ONLINE,          "move_over"),
    (SETTLING_BESIDE, "SaveFailed",     ONLINE,          "move_over"),
    (SETTLING_BESIDE, "Woke",           ONLINE,          "move_over"),
    (SETTLING_BESIDE, "Disconnected",   SETTLING,        "settle_again"),

    (SWAPPING,        "Disconnected",   ADRIFT,          "drift"),
    (SWAPPING,        "Moved",          ONLINE,          "move"),
    (SWAPPING,        "Stayed",         ONLINE,          "note"),
    (ADRIFT,          "Moved",          ONLINE,          "move"),
    (ADRIFT,          "Refused",        WEIGHING,        "lose"),
    (ADRIFT,          "Disconnected",   WEIGHING,        "lose"),

    (WEIGHING,        "HubLater",       WAITING_FOR_HUB, "wait"),
    (WEIGHING,        "DpsLater",       WAITING_FOR_DPS, "wait"),
    (WEIGHING,        "LookUpNow",      LOOKING_UP,      "sign_look_up"),
    (LOOKING_UP,      "Signed",         LOOKING_UP,      "look_up"),
    (LOOKING_UP,      "LookedUp",       WEIGHING,        "weigh_look_up"),
    (LOOKING_UP,      "LookUpFailed",   WEIGHING,        "weigh_look_up"),
    (LOOKING_UP,      "Woke",           WEIGHING,        "weigh_look_up"),

    (IDLE,            "Stop",           STOPPED,         "stop"),
    (WAITING_FOR_HUB, "Stop",           STOPPED,         "stop"),
    (WAITING_FOR_DPS, "Stop",           STOPPED,         "stop"),
    (REGISTERING,     "Stop",           STOPPED,         "stop"),
    (SETTLING,        "Stop",           STOPPED,         "stop"),
    (DIALING_HUB,     "Stop",           STOPPED,         "stop"),
    (SIGNING,         "Stop",           STOPPED,         "stop"),
    (CONNECTING,      "Stop",           STOPPED,         "stop"),
    (ONLINE,          "Stop",           STOPPED,         "stop"),
    (REPROVISIONING,  "Stop",           STOPPED,         "stop"),
    (SETTLING_BESIDE, "Stop",           STOPPED,         "stop"),
    (SWAPPING,        "Stop",           STOPPED,         "stop"),
    (ADRIFT,          "Stop",           STOPPED,         "stop"),
    (LOOKING_UP,      "Stop",           STOPPED,         "stop"),
)

DIALING_DPS = const("dialing dps")
SIGNING_FOR_DPS = const("signing for dps")
CONNECTING_DPS = const("connecting to dps")
SUBSCRIBING = const("subscribing")
ASKING = const("asking")
POLLING = const("waiting to poll")

REGISTRATION = (
    # in              on              go to            and
    (IDLE,            "Register",     DIALING_DPS,     "dial"),
    (DIALING_DPS,     "Verified",     SIGNING_FOR_DPS, "sign"),
    (DIALING_DPS,     "Failed",       IDLE,            "fail"),
    (DIALING_DPS,     "Woke",         IDLE,            "silent"),
    (SIGNING_FOR_DPS, "Signed",       CONNECTING_DPS,  "connect"),
    (SIGNING_FOR_DPS, "Failed",       IDLE,            "fail"),
    (SIGNING_FOR_DPS, "Disconnected", IDLE,            "drop"),
    (SIGNING_FOR_DPS, "Woke",         IDLE,            "silent"),
    (CONNECTING_DPS,  "Connected",    SUBSCRIBING,     "subscribe"),
    (CONNECTING_DPS,  "Refused",      IDLE,            "refuse"),
    (CONNECTING_DPS,  "Disconnected", IDLE,            "drop"),
    (CONNECTING_DPS,  "Woke",         IDLE,            "silent"),
    (SUBSCRIBING,     "Subscribed",   ASKING,          "register"),
    (SUBSCRIBING,     "Disconnected", IDLE,            "drop"),
    (SUBSCRIBING,     "Woke",         IDLE,            "silent"),
    (ASKING,          "Assigning",    POLLING,         "poll_later"),
    (ASKING,          "Assigned",     IDLE,            "finish"),
    (ASKING,          "Unregistered", IDLE,            "end"),
    (ASKING,          "Disconnected", IDLE,            "drop"),
    (ASKING,          "Woke",         IDLE,            "silent"),
    (POLLING,         "Woke",         ASKING,          "poll"),
    (POLLING,         "Disconnected", IDLE,            "drop"),
)

RESTING = const("resting")
CHOOSING = const("choosing")
LOOKING = const("looking")
COMPARING = const("comparing")
CONFIRMING = const("waiting to confirm")
LOOKING_AGAIN = const("looking again")
SIGNING_NEXT = const("signing for the move")
QUIETING = const("waiting for open requests")
DRAINING = const("draining")
JOINING = const("joining")
JOINING_ALONE = const("joining alone")
ASKING_LIVE = const("asking the live session")
PROBING = const("probing")
GLANCING = const("glancing")

REVERIFY = (
    # in            on              go to          and
    (IDLE,          "Online",       RESTING,       "begin"),
    (IDLE,          "Offline",      IDLE,          "nothing"),
    (RESTING,       "Woke",         CHOOSING,      "choose"),
    (CHOOSING,      "LookDue",      LOOKING,       "look"),
    (CHOOSING,      "ProbeDue",     PROBING,       "probe_other"),
    (CHOOSING,      "Taken",        RESTING,       "rest_a_minute"),
    (RESTING,       "LookNow",      LOOKING_AGAIN, "look_asked"),
    (CONFIRMING,    "LookNow",      LOOKING_AGAIN, "look_asked"),
    (RESTING,       "ClockStepped", RESTING,       "look_soon"),

    (LOOKING,       "Verified",     COMPARING,     "compare"),
    (LOOKING,       "Failed",       RESTING,       "warn"),
    (LOOKING,       "Woke",         RESTING,       "silent"),
    (COMPARING,     "Unchanged",    RESTING,       "close_and_rest"),
    (COMPARING,     "Changed",      CONFIRMING,    "confirm_later"),
    (COMPARING,     "SwapDue",      SIGNING_NEXT,  "sign"),
    (CONFIRMING,    "Woke",         LOOKING_AGAIN, "look_again"),
    (LOOKING_AGAIN, "Verified",     COMPARING,     "compare"),
    (LOOKING_AGAIN, "Failed",       RESTING,       "warn"),
    (LOOKING_AGAIN, "Woke",         RESTING,       "silent"),

    (SIGNING_NEXT,  "Signed",       QUIETING,      "quieten"),
    (SIGNING_NEXT,  "Failed",       RESTING,       "warn"),
    (SIGNING_NEXT,  "Disconnected", RESTING,       "drop"),
    (SIGNING_NEXT,  "Woke",         RESTING,       "silent"),
    (QUIETING,      "Quiet",        DRAINING,      "drain"),
    (QUIETING,      "Woke",         DRAINING,      "drain"),
    (QUIETING,      "Disconnected", RESTING,       "drop"),
    (DRAINING,      "Held",         JOINING,       "join"),
    (DRAINING,      "Woke",         JOINING,       "join"),
    (DRAINING,      "Disconnected", RESTING,       "drop"),
    (JOINING,       "Connected",    RESTING,       "swap"),
    (JOINING,       "Refused",      ASKING_LIVE,   "ask_live"),
    (JOINING,       "Disconnected", ASKING_LIVE,   "ask_live"),
    (JOINING,       "Woke",         ASKING_LIVE,   "ask_live"),
    (JOINING,       "Adrift",       JOINING_ALONE, "join_alone"),
    (JOINING_ALONE, "Connected",    RESTING,       "swap"),
    (JOINING_ALONE, "Refused",      IDLE,          "lose"),
    (JOINING_ALONE, "Disconnected", IDLE,          "lose"),
    (JOINING_ALONE, "Woke",         IDLE,          "lose"),
    (ASKING_LIVE,   "Ponged",       RESTING,       "stay"),
    (ASKING_LIVE,   "Woke",         IDLE,          "lose_both"),
    (ASKING_LIVE,   "Adrift",       IDLE,          "lose_answer"),

    (PROBING,       "Verified",     RESTING,       "note_other"),
    (PROBING,       "Failed",       RESTING,       "warn_other"),
    (PROBING,       "Woke",         RESTING,       "silent_other"),

    (CHOOSING,      "GlanceDue",    GLANCING,      "glance"),
    (CHOOSING,      "RenewDue",     RESTING,       "renew"),
    (RESTING,       "GlanceNow",    GLANCING,      "glance_asked"),
    (GLANCING,      "Glanced",      RESTING,       "note_glance"),
    (GLANCING,      "Failed",       RESTING,       "miss"),
    (GLANCING,      "Woke",         RESTING,       "miss_silently"),

    (RESTING,       "Offline",      IDLE,          "nothing"),
    (LOOKING,       "Offline",      IDLE,          "abandon"),
    (CONFIRMING,    "Offline",      IDLE,          "abandon"),
    (LOOKING_AGAIN, "Offline",      IDLE,          "abandon"),
    (SIGNING_NEXT,  "Offline",      IDLE,          "abandon"),
    (QUIETING,      "Offline",      IDLE,          "abandon"),
    (DRAINING,      "Offline",      IDLE,          "abandon"),
    (PROBING,       "Offline",      IDLE,          "abandon"),
    (GLANCING,      "Offline",      IDLE,          "abandon"),
)
# fmt: on
