"""When a token is replaced: by its share of life, and never so late that the hub is faster."""

import types

from anchorwatch.core.token import Tokens


def due_ms(lifetime_s, renew_at, phase=0):
    sas = types.SimpleNamespace(lifetime_s=lifetime_s, renew_at=renew_at)
    slots = types.SimpleNamespace(of=lambda link: {"kind": "symmetric_key"})
    device = types.SimpleNamespace(
        config=types.SimpleNamespace(sas=sas), phase=phase, slots=slots
    )
    return Tokens(device).due_ms("live", 1_000)


def test_token_is_due_at_its_share_of_life_and_up_to_a_twentieth_earlier_by_phase():
    assert due_ms(3600, 0.75) == 1_000 + 2_700_000
    assert due_ms(3600, 0.75, phase=999_999) > 1_000 + 2_700_000 - 135_001


def test_late_share_of_a_short_life_still_leaves_five_seconds():
    assert due_ms(20, 0.95) == 1_000 + 15_000
    assert due_ms(60, 0.95) == 1_000 + 55_000
