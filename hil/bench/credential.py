"""A new certificate and key for a device, as the factory or an update would bring it.

Rule: both are made here and returned; whoever asks puts them on the device.
"""

from hil.cloud import devicecerts
from hil.cloud.certificates import pem


def issue(common_name: str) -> tuple[bytes, bytes]:
    """(certificate, private key) as PEM: self-signed, for an enrollment by thumbprint."""
    made = devicecerts.device(common_name)
    return pem(made.certificate), devicecerts.key_pem(made)
