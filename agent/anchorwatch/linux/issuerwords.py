"""What an enrollment fails by, beside the words of a failed dial: a closed list.

Rule: a word says whose turn it is; the issuer's own words are told beside it.
"""

from ..core.events import IssueRefused

WORDS = {
    "issuer-refused": "the issuer does not issue this certificate; its own words are told",
    "issuer-unauthorized": "the issuer does not take our certificate, or our password",
    "issuer-busy": "the issuer asks to come later",
    "issuer-failed": "the issuer is not answering as it should",
    "issuer-malformed": "what the issuer sent are no certificates",
    "issuer-moved": "the EST server sends us elsewhere; name that address itself",
    "est-credentials": "[est] auth_file cannot be used",
    "command-failed": "[identity] command cannot be run, or took too long",
    "drop-folder": "[identity] drop_dir cannot be used",
}


def refused(order, fault: str, verdict: str, value: str, retry_after_s: int = 0) -> IssueRefused:
    """An answer that was no certificate, with no server's chain to show."""
    return IssueRefused(order.slot, fault, verdict, value, [], [], retry_after_s)
