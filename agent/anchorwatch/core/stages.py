"""The table of a signed bundle: kept, probed, tried, committed or rolled back.

Rule: names of states and the table, nothing else; effects are in probing.py and commit.py.

Source: design section 7, R4.
"""

from ..constants import const

SETTLED = const("settled")
KEEPING = const("keeping the candidate")
CHOOSING = const("choosing")
WAITING = const("waiting")
PROBING = const("probing")
JUDGING = const("judging")
COMPARING = const("comparing with the previous set")
ENTERING = const("entering the trial")
COMMITTING = const("committing")
REVERTING = const("rolling back")
REVERTED = const("rolled back")

# fmt: off
TRUST = (
    # in         on            go to       and
    (SETTLED,    "Came",       KEEPING,    "keep"),
    (SETTLED,    "Resumed",    WAITING,    "resume"),
    (SETTLED,    "Rested",     REVERTED,   "rest"),
    (SETTLED,    "NotYet",     WAITING,    "wait"),
    (SETTLED,    "TakeBack",   REVERTING,  "revert"),
    (KEEPING,    "Saved",      CHOOSING,   "kept"),
    (KEEPING,    "SaveFailed", SETTLED,    "give_up"),
    (KEEPING,    "Woke",       SETTLED,    "give_up"),

    (CHOOSING,   "Unheard",    PROBING,    "probe"),
    (CHOOSING,   "NotYet",     WAITING,    "wait"),
    (CHOOSING,   "Enough",     ENTERING,   "enter"),
    (CHOOSING,   "Proved",     COMMITTING, "commit"),
    (CHOOSING,   "Against",    REVERTING,  "revert"),

    (PROBING,    "Verified",   CHOOSING,   "good"),
    (PROBING,    "Failed",     JUDGING,    "judge"),
    (PROBING,    "Woke",       CHOOSING,   "unheard"),
    (JUDGING,    "Doubted",    COMPARING,  "compare"),
    (JUDGING,    "Undecided",  CHOOSING,   "next"),
    (JUDGING,    "Against",    REVERTING,  "revert"),
    (COMPARING,  "Verified",   JUDGING,    "weigh"),
    (COMPARING,  "Failed",     CHOOSING,   "unheard"),
    (COMPARING,  "Woke",       CHOOSING,   "unheard"),

    (ENTERING,   "Saved",      CHOOSING,   "try_out"),
    (ENTERING,   "SaveFailed", WAITING,    "not_entered"),
    (ENTERING,   "Woke",       WAITING,    "not_entered"),
    (COMMITTING, "Saved",      SETTLED,    "settle"),
    (COMMITTING, "SaveFailed", SETTLED,    "settle"),
    (COMMITTING, "Woke",       SETTLED,    "settle"),
    (REVERTING,  "Saved",      REVERTED,   "rest"),
    (REVERTING,  "SaveFailed", REVERTED,   "rest"),
    (REVERTING,  "Woke",       REVERTED,   "rest"),

    (WAITING,    "Woke",       CHOOSING,   "begin"),
    (WAITING,    "Came",       KEEPING,    "keep"),
    (WAITING,    "Presented",  WAITING,    "hear"),
    (WAITING,    "TakeBack",   REVERTING,  "revert"),
    (REVERTED,   "Woke",       CHOOSING,   "again"),
    (REVERTED,   "Came",       KEEPING,    "keep"),
    (REVERTED,   "Presented",  REVERTED,   "notice"),
    (REVERTED,   "TakeBack",   REVERTING,  "revert"),
)
# fmt: on
