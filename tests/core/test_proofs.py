"""What DPS said last of a certificate without a frame of its own, the configured one."""

from anchorwatch.core.proofs import Proofs

HELD = {"onboarding": {"fingerprint": "one"}, "a": {"fingerprint": "two", "slot": "a"}}


def test_configured_certificate_that_dps_took_after_all_may_be_shown_to_it_again():
    proofs = Proofs(dict(HELD))
    assert not proofs.denied("onboarding")
    proofs.refused("onboarding")
    proofs.accepted("onboarding", "hub", "hub.example", "dev-7", 1)
    assert proofs.denied("onboarding")
    proofs.accepted("onboarding", "dps", "hub.example", "dev-7", 2)
    assert not proofs.denied("onboarding")


def test_another_certificate_that_dps_took_says_nothing_of_the_refused_one():
    proofs = Proofs(dict(HELD))
    proofs.refused("onboarding")
    proofs.accepted("a", "dps", "hub.example", "dev-7", 1)
    assert proofs.denied("onboarding") and not proofs.denied("a")
