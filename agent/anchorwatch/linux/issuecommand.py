"""Issuer `command`: a program of the operator's, the request on its input, the chain on its output.

Rule: it gets AW_CN and AW_RENEW in its environment and nothing else; 75 (EX_TEMPFAIL) means later,
every other code but 0 no, and its last line to standard error says why.
"""

import os

from ..core.events import Issued, IssueLater
from ..errors import TrustError
from ..pki import pem
from ..pki.issued import COUNT_AT_MOST
from ..wire.encoding import base64_bytes
from . import programs
from .issuerwords import refused
from .patience import Patience
from .slots import pem_of

LATER = os.EX_TEMPFAIL
LONGEST_S = 60.0
OUTPUT_AT_MOST = 262_144


def enroll(order, command, patience: Patience):
    """(event, warnings), see issuers.py."""
    environment = {"AW_CN": order.cn, "AW_RENEW": "1" if order.renew else "0"}
    text = pem_of([base64_bytes(order.csr)], "CERTIFICATE REQUEST")
    try:
        done = programs.run(list(command), text, environment,
                            min(LONGEST_S, patience.left_s), OUTPUT_AT_MOST)
    except programs.ProgramError as error:
        fault = "service" if error.reason == "slow" else "policy"
        value = "%s: %s" % (error.reason, error.value)
        return refused(order, fault, "command-failed", value), []
    return _meant(order, done), []


def _meant(order, done: programs.Done):
    if done.code == LATER:
        return IssueLater(order.slot, 0, done.said or "the command asks to come later")
    if done.code:
        value = done.said or "ended with %d" % done.code
        return refused(order, "policy", "issuer-refused", value)
    try:
        return Issued(order.slot, pem.certificates(done.out, COUNT_AT_MOST))
    except TrustError as error:
        return refused(order, "policy", "issuer-malformed", error.what)
