"""The factory layer: exactly these roots, byte for byte, and never the retired one."""

import base64
import hashlib
import pathlib

import pytest

ROOTS = pathlib.Path(__file__).parents[2] / "agent" / "anchorwatch" / "data" / "roots"

# SHA-256 of each certificate, as its owner publishes it.
FACTORY = {
    "digicert-global-root-g2.pem": (
        "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f"
    ),
    "digicert-global-root-g3.pem": (
        "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0"
    ),
    "microsoft-rsa-root-ca-2017.pem": (
        "c741f70f4b2a8d88bf2e71c14122ef53ef10eba0cfa5e64cfa20f418853073e0"
    ),
    "microsoft-ecc-root-ca-2017.pem": (
        "358df39d764af9e1b766e9c972df352ee15cfac227af6ad1d70e8e4a6edcba02"
    ),
}
SOVEREIGN = {
    "digicert-global-root-ca.pem": (
        "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161"
    ),
}
BALTIMORE = "16af57a9f676b0ab126095aa5ebadef22ab31119d644ac95cd4b93dbf3f26aeb"


def fingerprints(folder):
    """{file name: SHA-256 of its one certificate}"""
    found = {}
    for file in sorted(folder.glob("*")):
        if file.is_file():
            lines = file.read_text(encoding="ascii").split()
            begin, end = lines.index("CERTIFICATE-----"), lines.index("-----END")
            der = base64.b64decode("".join(lines[begin + 1 : end]), validate=True)
            assert lines.count("-----END") == 1, file
            found[file.name] = hashlib.sha256(der).hexdigest()
    return found


@pytest.mark.parametrize(
    "folder, expected",
    [(ROOTS, FACTORY), (ROOTS / "sovereign", SOVEREIGN)],
    ids=["every cloud", "sovereign"],
)
def test_roots_are_those_their_owners_publish(folder, expected):
    assert fingerprints(folder) == expected


def test_retired_root_is_nowhere():
    every = {**fingerprints(ROOTS), **fingerprints(ROOTS / "sovereign")}
    assert len(every) == len(FACTORY) + len(SOVEREIGN)
    assert BALTIMORE not in every.values()


def test_roots_are_those_that_were_studied(shared_data):
    studied = fingerprints(shared_data / "roots")
    assert studied.pop("baltimore-cybertrust-root.pem") == BALTIMORE
    assert studied == {**FACTORY, **SOVEREIGN}
