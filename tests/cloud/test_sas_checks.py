"""The emulator's own reading of shared access signatures, against the documented vectors."""

import pytest

from hil.cloud import sas
from hil.cloud.refusal import NotProven

KEY = "18RQk/hOPJR9EbsJlk2j8WA6vWaj/yi+oaYg7zmxfQNdOyMSu+SJ8O7TSlZhDJCYmn4rzEiVKIzNiVAWjLxrGA=="
URI = "MyExampleHub.azure-devices.net/devices/my-symkey-device"
SR = "MyExampleHub.azure-devices.net%2Fdevices%2Fmy-symkey-device"
SIG = "f%2BwW8XOKeJOtiPc9Iwjc4OpExvPM7NlhM9qxN2a1aAM%3D"
GROUP_KEY = (
    "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw=="
)


def check(text, uri=URI, utc_s=1663119025, policy=""):
    return sas.check(text, keys=["", KEY], resource=uri, policy=policy, utc_s=utc_s)


def signed(sr, expires="1663119026"):
    from base64 import b64encode
    from urllib.parse import quote

    sig = quote(b64encode(sas.signature(KEY, sr, expires)), safe="")
    return f"SharedAccessSignature sr={sr}&sig={sig}&se={expires}"


def test_documented_token_is_accepted_until_its_last_second():
    text = f"SharedAccessSignature sr={SR}&sig={SIG}&se=1663119026"
    assert check(text).expires_utc_s == 1663119026
    with pytest.raises(NotProven, match="expired"):
        check(text, utc_s=1663119026)


def test_fields_may_come_in_any_order():
    check(f"SharedAccessSignature se=1663119026&skn=&sr={SR}&sig={SIG}")


def test_signature_counts_over_the_text_as_received():
    check(signed(SR.replace("%2F", "%2f")))
    with pytest.raises(NotProven, match="another key"):
        check(f"SharedAccessSignature sr={SR.replace('%2F', '%2f')}&sig={SIG}&se=1663119026")


def test_lower_cased_audience_is_accepted():
    check(signed(SR.lower()))


def test_audience_covers_whole_segments_below_it():
    check(signed("MyExampleHub.azure-devices.net%2Fdevices"))
    check(signed("MyExampleHub.azure-devices.net"))
    for sr in ("MyExampleHub.azure-devices.net%2Fdev", SR[:-1], SR + "%2Fmodules%2Fm"):
        with pytest.raises(NotProven, match="made for"):
            check(signed(sr))


def test_changed_expiry_is_another_text():
    with pytest.raises(NotProven, match="another key"):
        check(f"SharedAccessSignature sr={SR}&sig={SIG}&se=1663119027")


def test_group_key_derives_the_documented_device_key():
    rid = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6"
    assert sas.derived_key(GROUP_KEY, rid) == "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc="


def test_any_garbage_is_refused_and_never_raises_anything_else():
    text = f"SharedAccessSignature sr={SR}&sig={SIG}&se=1663119026"
    for end in range(len(text)):
        with pytest.raises(NotProven):
            check(text[:end])
    for at in range(len(text)):
        with pytest.raises(NotProven):
            check(text[:at] + "\x7f" + text[at + 1 :])


def test_policy_may_be_left_out_as_the_sdk_leaves_it_out():
    assert check(signed(SR), policy="registration").expires_utc_s
