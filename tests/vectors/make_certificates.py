"""Makes certificates.py: the certificates and the server flight that the case tables judge.

Run by hand when a case needs another certificate: `python tests/vectors/make_certificates.py`. The
keys are thrown away, so every run changes every byte; the file is kept so that both runtimes, and
every day, judge the same ones. Needs the package `cryptography`.
"""

import base64
import datetime
import ipaddress
import os
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

HOST = "hub.example.net"
FOLDER = os.path.dirname(os.path.abspath(__file__))
HEAD = '"""Written by make_certificates.py: base64 of DER, valid in 2026 as a rule."""\n\n'


def day(year, month=1):
    return datetime.datetime(year, month, 1, tzinfo=datetime.timezone.utc)


def new_key(kind):
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[4:]))
    return ec.generate_private_key(
        {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}[kind]()
    )


def name(cn):
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "NL"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"),
            x509.NameAttribute(NameOID.COMMON_NAME, cn),
        ]
    )


class Made:
    """A certificate with its key, which may issue others."""

    def __init__(
        self,
        cn,
        issuer=None,
        kind="p256",
        ca=None,
        usage=None,
        purposes=None,
        names=(),
        start=None,
        end=None,
        hash_=None,
        key=None,
        aki=True,
        more=(),
    ):
        self.key = key or new_key(kind)
        self.name = name(cn)
        by = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(by.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start or day(2026))
            .not_valid_after(end or day(2027))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
        )
        if aki:
            builder = builder.add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), False
            )
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca, None), True)
        if usage is not None:
            flags = dict.fromkeys(
                (
                    "digital_signature",
                    "content_commitment",
                    "key_encipherment",
                    "data_encipherment",
                    "key_agreement",
                    "key_cert_sign",
                    "crl_sign",
                    "encipher_only",
                    "decipher_only",
                ),
                False,
            )
            flags.update(dict.fromkeys(usage, True))
            builder = builder.add_extension(x509.KeyUsage(**flags), True)
        if purposes is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), False)
        for extension, critical in more:
            builder = builder.add_extension(extension, critical)
        self.certificate = builder.sign(by.key, hash_ or hashes.SHA256())
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)


def authorities():
    signs = ("key_cert_sign", "crl_sign")
    made = {
        "root": Made("Test Root", kind="p384", ca=True, usage=signs, start=day(2020), end=day(2040))
    }
    made["issuing"] = Made("Test Issuing", made["root"], ca=True, usage=signs)
    made["issuing_expired"] = Made(
        "Test Issuing Old", made["root"], ca=True, start=day(2020), end=day(2025)
    )
    made["issuing_no_ca"] = Made("Test Issuing No CA", made["root"], ca=False)
    made["issuing_no_sign"] = Made(
        "Test Issuing No Sign", made["root"], ca=True, usage=("crl_sign",)
    )
    kept_out = x509.NameConstraints(None, [x509.DNSName("out.example.net")])
    made["issuing_excludes"] = Made(
        "Test Issuing Excludes", made["root"], ca=True, usage=signs, more=[(kept_out, True)]
    )
    made["rsa_root"] = Made(
        "Test RSA Root", kind="rsa-2048", ca=True, start=day(2020), end=day(2040)
    )
    made["rsa_root_sha384"] = Made(
        "Test RSA Root", ca=True, key=made["rsa_root"].key, hash_=hashes.SHA384()
    )
    made["root_other_key"] = Made("Test Root", made["root"], ca=True, usage=signs)
    made["root_no_sign"] = Made("Test Root No Sign", ca=True, usage=("crl_sign",))
    made["root_no_ca"] = Made("Test Root No CA", ca=False)
    made["root_weak"] = Made("Test Root Weak", kind="rsa-1024", ca=True)
    made["root_no_ids"] = Made("Test Root Plain", ca=True, aki=False)
    return made


def leaves(made):
    host, server = [x509.DNSName(HOST)], [ExtendedKeyUsageOID.SERVER_AUTH]
    usual = {"usage": ("digital_signature",), "purposes": server, "names": host}

    def leaf(key, issuer="issuing", **changed):
        made[key] = Made("leaf", made[issuer], **dict(usual, **changed))

    leaf("leaf", ca=False)
    leaf("leaf_wildcard", names=[x509.DNSName("*.Example.net"), x509.DNSName("*.net")])
    leaf("leaf_other_name", names=[x509.DNSName("other.example.net")])
    made["leaf_cn_only"] = Made(HOST, made["issuing"], purposes=server)
    leaf(
        "leaf_ip",
        names=[
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
        ],
    )
    made["leaf_ip_spelled"] = Made(
        "127.000.000.001",
        made["issuing"],
        purposes=server,
        names=[x509.IPAddress(ipaddress.ip_address("127.0.0.1"))],
    )
    leaf("leaf_client", purposes=[ExtendedKeyUsageOID.CLIENT_AUTH])
    leaf("leaf_no_purpose", purposes=None, usage=None)
    leaf("leaf_no_signing", usage=("key_encipherment",))
    leaf("leaf_is_ca", ca=True)
    leaf("leaf_expired", start=day(2025), end=day(2026))
    leaf("leaf_future", start=day(2027), end=day(2028))
    leaf("leaf_far", end=day(2060))
    everything = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
    leaf("leaf_any_purpose", purposes=[ExtendedKeyUsageOID.SERVER_AUTH, everything])
    leaf("leaf_empty_label", names=host + [x509.DNSName("x..example.net")])
    leaf("leaf_constrains", more=[(x509.NameConstraints(host, None), True)])
    leaf("broken_access", more=[(_no_access(), False)])
    leaf("leaf_of_excludes", issuer="issuing_excludes")
    leaf("leaf_excluded_wildcard", "issuing_excludes", names=[x509.DNSName("*.example.net")])
    leaf(
        "leaf_excluded",
        "issuing_excludes",
        names=host + [x509.DNSName("a.out.example.net")],
    )
    leaf("leaf_rsa2052", kind="rsa-2052")
    leaf("leaf_rsa1024", kind="rsa-1024")
    leaf("leaf_rsa2048", kind="rsa-2048")
    leaf("leaf_p521", kind="p521")
    leaf("leaf_of_rsa", issuer="rsa_root")
    leaf("leaf_of_old", issuer="issuing_expired")
    leaf("leaf_of_no_ca", issuer="issuing_no_ca")
    leaf("leaf_of_no_sign", issuer="issuing_no_sign")
    made["strange_name"] = Made(
        "a, O=Big\\ \u00e4\n\u202e", made["issuing"], purposes=server, names=host
    )
    return made


def _no_access():
    """An authority information access that is one only by its name."""
    return x509.UnrecognizedExtension(ExtensionOID.AUTHORITY_INFORMATION_ACCESS, b"\x30\x00")


def flight(made):
    """The bytes a real server answers to a real TLS 1.2 ClientHello, and that hello."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "server.pem")
        key = made["leaf"].key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        pems = [
            made[k].certificate.public_bytes(serialization.Encoding.PEM)
            for k in ("leaf", "issuing")
        ]
        with open(path, "wb") as file:
            file.write(key + b"".join(pems))
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(path)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    server.verify_mode = ssl.CERT_OPTIONAL
    to_server, to_client, unused = ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(unused, to_server, server_hostname=HOST)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs):
        try:
            if side is theirs:
                hello = to_server.read()
                to_server.write(hello)
            side.do_handshake()
        except ssl.SSLWantReadError:
            pass
    return hello, to_client.read()


def written(name_, data):
    text = base64.b64encode(data).decode()
    lines = ['    "%s"' % text[at : at + 88] for at in range(0, len(text), 88)]
    return "%s = (\n%s\n)\n" % (name_.upper(), "\n".join(lines))


def main():
    made = leaves(authorities())
    hello, answer = flight(made)
    parts = [written(key, made[key].der) for key in sorted(made)]
    parts += [written("client_hello", hello), written("server_flight", answer)]
    with open(os.path.join(FOLDER, "certificates.py"), "w", encoding="ascii") as file:
        file.write(HEAD + "\n".join(parts))


if __name__ == "__main__":
    main()
