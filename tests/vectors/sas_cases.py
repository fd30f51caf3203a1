"""Signatures: published vectors, and refusals that do not show the key."""

from anchorwatch.wire import sas

_KEY = "18RQk/hOPJR9EbsJlk2j8WA6vWaj/yi+oaYg7zmxfQNdOyMSu+SJ8O7TSlZhDJCYmn4rzEiVKIzNiVAWjLxrGA=="
_GROUP = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw=="
_DEVICE = "MyExampleHub.azure-devices.net/devices/my-symkey-device"


def _token(key, resource, expiry_s, name=""):
    signature = sas.hmac_sha256(sas.key_bytes(key), sas.string_to_sign(resource, expiry_s))
    return sas.token(resource, signature, expiry_s, name)


CASES = (
    ("a hub's published vector", _token, (_KEY, _DEVICE, 1663119026),
     ("SharedAccessSignature sr=MyExampleHub.azure-devices.net%2Fdevices%2Fmy-symkey-device"
     "&sig=f%2BwW8XOKeJOtiPc9Iwjc4OpExvPM7NlhM9qxN2a1aAM%3D&se=1663119026")),
    ("the key of a group's device", sas.derive_device_key, (_GROUP,
     "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6"),
     "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc="),
    ("what is signed for DPS", sas.string_to_sign, ("0ne1/registrations/dev-7", 7),
     b"0ne1%2Fregistrations%2Fdev-7\n7"),
    ("a token for DPS names its key", sas.token, ("0ne1/registrations/d", b"\x00", 7,
     sas.DPS_KEY_NAME),
     "SharedAccessSignature sr=0ne1%2Fregistrations%2Fd&sig=AA%3D%3D&se=7&skn=registration"),
    ("RFC 4231, case 1", sas.hmac_sha256, (b"\x0b" * 20, b"Hi There"),
     b"\xb04La\xd8\xdb8\x53\x5c\xa8\xaf\xce\xaf\x0b\xf1\x2b\x88\x1d\xc2\x00\xc9\x83\x3d\xa7\x26\xe9\x37\x6c\x2e\x32\xcf\xf7"),
    ("RFC 4231, case 6: a key longer than a block", sas.hmac_sha256,
     (b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First"),
     b"\x60\xe4\x31\x59\x1e\xe0\xb6\x7f\x0d\x8a\x26\xaa\xcb\xf5\xb7\x7f\x8e\x0b\xc6\x21\x37\x28\xc5\x14\x05\x46\x04\x0f\x0e\xe3\x7f\x54"),
    ("a key with a line break at its end is taken", sas.key_bytes, ("AQI=\n",), b"\x01\x02"),
    ("a key that is not base64 is not shown", sas.key_bytes, ("secret!",),
     ("raises", "ConfigError",
     "symmetric key is not base64: 7 characters; copy the primary or secondary")),
    ("an empty key", sas.key_bytes, ("",), ("raises", "ConfigError",
     "symmetric key is not base64: 0 characters")),
)  # fmt: skip
