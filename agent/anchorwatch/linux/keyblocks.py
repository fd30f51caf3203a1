"""Which block of a PEM file is the private key, and whether we can read it ourselves.

Rule: looks at labels only; the key's bytes are somebody else's to decode.

Source: RFC 7468; the labels of pkcs11-provider and tpm2-openssl.
"""

from ..errors import ConfigError

PLAIN = (b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY")
# What to look at where the TLS library cannot use a key that is none of these.
TOKEN_HINT = ("a key in a token needs OpenSSL 3.2 or later and the token's provider, activated by "
              "the file that OPENSSL_CONF names in the agent's environment")
_BEGIN, _DASHES = b"-----BEGIN ", b"-----"


def private_block(data: bytes, path: str) -> tuple[bytes, bytes]:
    """Label and text of the first block that can be a key; ConfigError without one."""
    for start in _starts(data):
        label = data[start + len(_BEGIN):].partition(_DASHES)[0]
        if label.startswith(b"ENCRYPTED") or b"Proc-Type: 4,ENCRYPTED" in data[start:start + 200]:
            raise encrypted(path)
        if b"PRIVATE KEY" in label or b"PROVIDER URI" in label:
            end = data.find(b"-----END " + label + _DASHES, start)
            return label, data[start:end + len(label) + 14] if end > 0 else data[start:]
    raise ConfigError("file holds no private key", path, "give a PEM file with the device's key")


def in_token(data: bytes, path: str) -> bool:
    """True for a key that only a provider of the TLS library can use; ConfigError for no key."""
    return private_block(data, path)[0] not in PLAIN


def encrypted(path: str) -> ConfigError:
    """The error for a key with a password."""
    return ConfigError("private key is encrypted", path,
                       "nobody is there to type a password: store it unencrypted, or in a token")


def _starts(data: bytes) -> list[int]:
    found, at = [], data.find(_BEGIN)
    while at >= 0:
        found.append(at)
        at = data.find(_BEGIN, at + 1)
    return found
