"""Says the agent's hello under every profile to a port of the test's, on whatever Python runs it.

    python -I hellos.py FOLDER PORT DER [CERTIFICATE KEY]...

FOLDER holds the package, DER is an anchor in hexadecimal. One dial after the other: every profile
without a certificate of ours, then the plainest profile with each certificate that is named. Prints
{"python", "library", "openssl", "dials": [[profile, [certificate, key] or null,
[class, verdict]]]}.
"""

import itertools
import json
import ssl
import sys

HOST = "hub.example.net"
SIZES = (512, 1024, 2048, 4096)


def profiles():
    """Every profile: suites, length, how much it is wanted, strictness."""
    lengths = [("off", None)] + [(w, s) for w in ("prefer", "require") for s in SIZES]
    for suites, (wish, size), strict in itertools.product(
            ("rsa", "ecdsa", "any"), lengths, (True, False)):
        made = {"suites": suites, "max_fragment": wish, "strict": strict, "all_ecc": False,
                "check_time": strict}
        yield made if size is None else dict(made, max_fragment_bytes=size)


def main(folder, port, der, *files):
    sys.path.insert(0, folder)
    from anchorwatch.core.actions import Dial
    from anchorwatch.linux.dial import Dialer
    from anchorwatch.linux.resolve import Resolver
    from anchorwatch.linux.shortrecords import ShortRecords
    from anchorwatch.pki.der import sha256_hex

    der, records, told = bytes.fromhex(der), ShortRecords(), []
    place, anchor = "127.0.0.1:" + port, sha256_hex(der)
    usual = next(profiles())
    pairs = [list(files[at:at + 2]) for at in range(0, len(files), 2)]
    for profile, pair in [(one, None) for one in profiles()] + [(usual, one) for one in pairs]:
        dialer = Dialer(Resolver({HOST + ":8883": [place]}, None), {anchor: der}.__getitem__,
                        lambda slot, pair=pair: pair, records=records)
        order = Dial("live", "hub", HOST, 8883, "mqtt", [anchor], {}, profile,
                     "a" if pair else None, None, "", "own")
        event, _ = dialer.dial(order, dialer.patience())
        told.append([profile, pair, [event.fault, event.verdict]])
    print(json.dumps({"python": "%d.%d.%d" % sys.version_info[:3], "library": ssl.OPENSSL_VERSION,
                      "openssl": ssl.OPENSSL_VERSION_INFO, "dials": told}))


if __name__ == "__main__":
    main(*sys.argv[1:])
