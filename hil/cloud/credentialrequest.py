"""What a request for a certificate must look like, and the errors it is answered with.

Checks; issues nothing.
Source: the preview's test log; the error codes of the SDKs' preview branches.
"""

import json
import string

from . import csr
from .faults import Fault

BAD_FIELD, NOT_JSON, CSR_REJECTED = 400004, 400006, 400037
ACTIVE, NOTHING_TO_REPLACE, NO_POLICY = 409004, 412001, 412005
THROTTLED, SERVER_ERROR = 429002, 1
MEMBERS = {"id", "csr", "replace"}
RID_CHARACTERS = set(string.ascii_letters + string.digits + "-")
RID_RULE = "$rid has 4 to 36 letters, digits and inner hyphens, or is a number."


class Refused(Exception):
    """A reply with an error; its status is the first three digits of the code."""

    def __init__(self, code: int, message: str, retry_after_s: int | None = None, **info: object):
        super().__init__(message)
        self.code, self.message, self.retry_after_s = code, message, retry_after_s
        self.info = info


def meant(fault: Fault) -> Refused:
    """The error that a fault at the point "credential" stands for."""
    if fault.name == "BUSY":
        return Refused(THROTTLED, "fault: throttled", fault["retry_after_s"])
    if fault.name == "SERVER_ERROR":
        code = 1000 * fault["status"] + SERVER_ERROR
        return Refused(code, "fault: server error", fault["retry_after_s"])
    return Refused(fault["code"], fault["message"])


def checked(device_id: str, rid: str, payload: bytes) -> dict:
    """The body of a request; raises Refused with 400004 or 400006."""
    if not legal_rid(rid):
        raise Refused(BAD_FIELD, RID_RULE)
    if not payload:
        raise Refused(BAD_FIELD, "The body is missing.")
    try:
        asked = json.loads(payload)
    except (ValueError, RecursionError):
        raise Refused(NOT_JSON, "The body is not JSON.") from None
    if not isinstance(asked, dict) or set(asked) - MEMBERS:
        raise Refused(BAD_FIELD, "The body has an unknown member, or is no object.")
    if asked.get("id") != device_id:
        raise Refused(BAD_FIELD, "id is not the device.")
    if "replace" in asked and not (asked["replace"] == "*" or legal_rid(asked["replace"])):
        raise Refused(BAD_FIELD, "replace is neither a request id nor *.")
    check_size(asked.get("csr"))
    return asked


def check_size(text: object) -> None:
    """Raise Refused unless it is base64 of at most 8 KB; what is in it, the CA judges later."""
    try:
        too_large = len(csr.from_base64(text)) > csr.LARGEST
    except csr.CsrRefused as e:
        raise Refused(BAD_FIELD, e.message) from None
    if too_large:
        raise Refused(BAD_FIELD, "The request is larger than 8 KB.")


def legal_rid(rid: object) -> bool:
    """4 to 36 letters, digits and hyphens, no hyphen at an end; plain numbers were seen too."""
    if not isinstance(rid, str) or not set(rid) <= RID_CHARACTERS:
        return False
    return rid.isdigit() or (4 <= len(rid) <= 36 and rid == rid.strip("-"))
