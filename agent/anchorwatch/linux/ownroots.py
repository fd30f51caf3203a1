"""The roots in a file that a setting names for one endpoint alone, such as est.anchors_file.

Rule: read at every dial, so that a file that was put right counts at once; all of it is a list of
roots, or none of it is taken.
"""

from ..errors import ConfigError, LinkError, TrustError
from ..pki import pem
from ..pki.der import anchor_entry
from .keyfiles import read_anchors


def read(path: str) -> dict[str, bytes]:
    """{sha256: DER}; LinkError."""
    try:
        return {anchor_entry(der)["sha256"]: der for der in pem.certificates(read_anchors(path))}
    except (ConfigError, TrustError) as error:
        value = "%s (%s)" % (path, error.what)
        raise LinkError("policy", "est-anchors", value, error.remedy) from error
