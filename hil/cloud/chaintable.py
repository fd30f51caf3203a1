"""The roots, issuing certificates and chains by name: what certificates.py makes.

Holds values; decides nothing. Source: "Azure certificate authority details".
"""

DIGICERT = {"C": "US", "O": "DigiCert Inc", "OU": "www.digicert.com"}
DIGICERT_TLS = {"C": "US", "O": "DigiCert Inc"}
MICROSOFT = {"C": "US", "O": "Microsoft Corporation"}
NOBODY = {"C": "US", "O": "Nobody You Know"}
EST_OPERATOR = {"C": "US", "O": "EST of the emulated cloud"}
MS_ROOT = "Microsoft %s Root Certificate Authority 2017"
BALTIMORE = {"C": "IE", "O": "Baltimore", "OU": "CyberTrust"}

# The real Baltimore root ended on 2025-05-12; its stand-in lives on, so that a migration can be
# played, and is signed with SHA-256. Everything else is as in the original.
ROOTS = {
    # name        subject and its CN                      key         valid
    "baltimore": (BALTIMORE, "Baltimore CyberTrust Root", "rsa-2048", (2000, 5, 12), (2038, 5, 12)),
    "g2":        (DIGICERT, "DigiCert Global Root G2",    "rsa-2048", (2013, 8, 1), (2038, 1, 15)),
    "g3":        (DIGICERT, "DigiCert Global Root G3",    "ec-p384", (2013, 8, 1), (2038, 1, 15)),
    "g1":       (DIGICERT, "DigiCert Global Root CA",   "rsa-2048", (2006, 11, 10), (2031, 11, 10)),
    "msrsa2017": (MICROSOFT, MS_ROOT % "RSA",            "rsa-4096", (2019, 12, 18), (2042, 7, 18)),
    "msecc2017": (MICROSOFT, MS_ROOT % "ECC",            "ec-p384", (2019, 12, 18), (2042, 7, 18)),
    "unknown":   (NOBODY, "Unknown Root CA",              "rsa-2048", (2020, 1, 1), (2040, 1, 1)),
    "unknown2":  (NOBODY, "Unknown Root CA 2",            "rsa-2048", (2020, 1, 1), (2040, 1, 1)),
    "est":       (EST_OPERATOR, "EST TLS Root CA",        "ec-p256", (2020, 1, 1), (2045, 1, 1)),
}  # fmt: skip

ISSUING = {
    # name             issued by, subject and its CN, key
    "ms-rsa-01":      ("baltimore", MICROSOFT, "Microsoft RSA TLS CA 01", "rsa-4096"),
    "azure-rsa-03":   ("g2", MICROSOFT, "Microsoft Azure RSA TLS Issuing CA 03", "rsa-4096"),
    "ms-tls-root-g2": ("g2", MICROSOFT, "Microsoft TLS RSA Root G2", "rsa-4096"),
    "ms-g2-ocsp-02":  ("ms-tls-root-g2", MICROSOFT, "Microsoft TLS G2 RSA CA OCSP 02", "rsa-4096"),
    "azure-ecc-03":   ("g3", MICROSOFT, "Microsoft Azure ECC TLS Issuing CA 03", "ec-p384"),
    "digicert-2020":  ("g1", DIGICERT_TLS, "DigiCert TLS RSA SHA256 2020 CA1", "rsa-2048"),
    "ms-issuing-01":  ("msrsa2017", MICROSOFT, "Microsoft TLS Issuing RSA CA 01", "rsa-4096"),
    "nobody-01":      ("unknown", NOBODY, "Unknown Issuing CA 01", "rsa-2048"),
    "nobody-02":      ("unknown2", NOBODY, "Unknown Issuing CA 02", "rsa-2048"),
    "est-01":         ("est", EST_OPERATOR, "EST TLS Issuing CA 01", "ec-p256"),
}  # fmt: skip

VALID = (-1, 180)  # days from today
EXPIRED = (-200, -10)
WRONG_NAME = "somewhere-else.azure-devices.net"

CHAINS = {
    # name           issuer of the leaf  leaf's key  days     name instead
    "baltimore-rsa": ("ms-rsa-01",     "rsa-2048", VALID,   None),
    "g2-rsa":        ("azure-rsa-03",  "rsa-2048", VALID,   None),
    "g2-rsa-long":   ("ms-g2-ocsp-02", "rsa-2048", VALID,   None),
    "g3-ecc":        ("azure-ecc-03",  "ec-p256",  VALID,   None),
    "g1-rsa":        ("digicert-2020", "rsa-2048", VALID,   None),
    "msrsa2017-rsa": ("ms-issuing-01", "rsa-2048", VALID,   None),
    "unknown-rsa":   ("nobody-01",     "rsa-2048", VALID,   None),
    "unknown2-rsa":  ("nobody-02",     "rsa-2048", VALID,   None),
    "est-rsa":       ("est-01",        "rsa-2048", VALID,   None),
    "est-ecc":       ("est-01",        "ec-p256",  VALID,   None),
    "expired":       ("azure-rsa-03",  "rsa-2048", EXPIRED, None),
    "wrong-name":    ("azure-rsa-03",  "rsa-2048", VALID,   WRONG_NAME),
}  # fmt: skip
