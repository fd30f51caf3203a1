"""The table of a certificate's renewal: a new key, its certificate, the trial, the commit.

Rule: names of states and the table, nothing else; effects are in rolling.py (until there is a
certificate) and identity.py (the trial). Whatever fails, the active slot is as it was.

Source: design section 9.
"""

from ..constants import const

RESTING = const("resting")
KEYING = const("making a key")
DRAFTING = const("making a request")
ASKING = const("asking the issuer")
AWAITING = const("waiting for the issuer")
INSTALLING = const("installing")
ENTERING = const("entering the trial")
TRYING = const("trying the new certificate")
DOUBTING = const("weighing a refusal")
REGISTERING = const("registering with the new certificate")
HOLDING = const("holding a refused certificate")
COMMITTING = const("committing")
WIPING = const("wiping the old key")

# fmt: off
ROLL = (
    # in          on                go to        and
    (RESTING,     "Woke",           RESTING,     "look"),
    (RESTING,     "RollDue",        KEYING,      "new_key"),
    (RESTING,     "ResumeDue",      DRAFTING,    "draft"),
    (RESTING,     "TrialDue",       TRYING,      "try_out"),
    (RESTING,     "FormerDue",      WIPING,      "wipe_former"),
    (RESTING,     "TookOver",       HOLDING,     "take_over"),

    (KEYING,      "KeyMade",        DRAFTING,    "draft"),
    (KEYING,      "KeyFailed",      RESTING,     "no_key"),
    (KEYING,      "Woke",           RESTING,     "silent"),
    (DRAFTING,    "CsrMade",        ASKING,      "ask"),
    (DRAFTING,    "KeyFailed",      RESTING,     "no_key"),
    (DRAFTING,    "Woke",           RESTING,     "silent"),

    (ASKING,      "Issued",         INSTALLING,  "install"),
    (ASKING,      "IssueLater",     AWAITING,    "await_issuer"),
    (ASKING,      "IssueRefused",   RESTING,     "refused"),
    (ASKING,      "Woke",           AWAITING,    "unanswered"),
    (AWAITING,    "Woke",           ASKING,      "ask_again"),
    (AWAITING,    "Issued",         INSTALLING,  "install"),
    (AWAITING,    "IssueLater",     AWAITING,    "await_issuer"),
    (AWAITING,    "IssueRefused",   RESTING,     "refused"),
    (AWAITING,    "RollDue",        KEYING,      "new_key"),

    (INSTALLING,  "Installed",      ENTERING,    "enter"),
    (INSTALLING,  "InstallRefused", AWAITING,    "not_installed"),
    (INSTALLING,  "Woke",           AWAITING,    "not_installed"),
    (AWAITING,    "Installed",      ENTERING,    "enter"),
    (ENTERING,    "Saved",          TRYING,      "try_out"),
    (ENTERING,    "SaveFailed",     ENTERING,    "enter_later"),
    (ENTERING,    "Woke",           ENTERING,    "enter_again"),

    (TRYING,      "Woke",           TRYING,      "try_again"),
    (TRYING,      "TrialGood",      COMMITTING,  "commit"),
    (TRYING,      "TrialBad",       DOUBTING,    "doubt"),
    (TRYING,      "TrialLater",     TRYING,      "try_later"),
    (TRYING,      "Assigned",       TRYING,      "registered"),
    (TRYING,      "Unregistered",   HOLDING,     "refused_by_dps"),
    (DOUBTING,    "AskDps",         REGISTERING, "register"),
    (DOUBTING,    "Propagating",    TRYING,      "try_soon"),
    (DOUBTING,    "GivenUp",        HOLDING,     "hold"),
    (REGISTERING, "Assigned",       TRYING,      "registered"),
    (REGISTERING, "Unregistered",   HOLDING,     "refused_by_dps"),
    (REGISTERING, "TrialBad",       HOLDING,     "hold"),
    (REGISTERING, "TrialGood",      COMMITTING,  "commit"),
    (REGISTERING, "Woke",           HOLDING,     "hold"),
    (HOLDING,     "Woke",           HOLDING,     "look_held"),
    (HOLDING,     "TrialDue",       TRYING,      "try_out"),
    (HOLDING,     "RollDue",        KEYING,      "new_key"),
    (HOLDING,     "Assigned",       TRYING,      "registered"),
    (HOLDING,     "Unregistered",   HOLDING,     "refused_by_dps"),
    (HOLDING,     "TrialGood",      COMMITTING,  "commit"),
    (HOLDING,     "TookOver",       HOLDING,     "take_over"),
    (HOLDING,     "Done",           RESTING,     "look"),

    (COMMITTING,  "Saved",          WIPING,      "committed"),
    (COMMITTING,  "SaveFailed",     COMMITTING,  "commit_later"),
    (COMMITTING,  "Woke",           COMMITTING,  "commit_again"),
    (WIPING,      "KeyWiped",       RESTING,     "report"),
    (WIPING,      "Done",           RESTING,     "report"),
    (WIPING,      "Woke",           RESTING,     "report"),
)
# fmt: on
