"""What an operator's request says: its JSON body, field by field.

Checks and raises BadRequest (what, with which value, what to do); does nothing.
"""

import dataclasses
import json

from .http1 import Request
from .refusal import BadRequest


def body_of(request: Request) -> dict:
    """The request's JSON object; {} when there is no body."""
    try:
        made_of = json.loads(request.body) if request.body else {}
    except (ValueError, RecursionError):
        raise BadRequest(
            "the body is not JSON", request.body[:60].decode("latin-1"), "send an object"
        ) from None
    if not isinstance(made_of, dict):
        raise BadRequest("the body is not an object", made_of, 'write {"key": value}')
    return made_of


def take(made_of: dict, name: str, kind: object, otherwise: object = dataclasses.MISSING) -> object:
    """One field of a body, of the right type; BadRequest when it is missing or wrong."""
    value = made_of.get(name, otherwise)
    if value is dataclasses.MISSING:
        raise BadRequest("a field is missing", name, f"the body has {sorted(made_of)}")
    right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if value is not otherwise and not right:
        wanted = " or ".join(k.__name__ for k in (kind if isinstance(kind, tuple) else (kind,)))
        raise BadRequest(f"field {name} has the wrong type", value, f"give a {wanted}")
    return value
