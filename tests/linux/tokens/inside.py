"""The key side of a roll with keys in a token, in a system whose OpenSSL can use them.

Rule: runs by itself, without pytest and without cryptography: the system is a bare one. Arguments:
the agent's source root, a folder to work in, the key command; one line of JSON is the result.
"""

import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import types

sys.path.insert(0, sys.argv[1])
FOLDER = pathlib.Path(sys.argv[2])

from anchorwatch.core import actions  # noqa: E402
from anchorwatch.linux import tls  # noqa: E402
from anchorwatch.linux.slotkeys import Keys  # noqa: E402
from anchorwatch.linux.slots import Slots, pem_of  # noqa: E402
from anchorwatch.linux.store import open_store  # noqa: E402
from anchorwatch.performers.slotkeys import SlotKeys  # noqa: E402
from anchorwatch.wire.encoding import base64_bytes  # noqa: E402

HOST, CN = "hub.example.net", "dev-7"


class Here:
    """Runs an errand at once."""

    def start(self, work, done):
        done(work())


def openssl(*words, data=b""):
    """A CA needs no token."""
    plain = {name: os.environ[name] for name in os.environ if name != "OPENSSL_CONF"}
    return subprocess.run(["openssl", *words], input=data, env=plain, cwd=FOLDER, check=True,
                          capture_output=True).stdout


def root(name, *more):
    """NAME.key and NAME.pem, self-signed."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", name + ".key", "-out", name + ".pem", "-subj", "/CN=" + name, "-days", "9",
            *more)


def issued(csr):
    """The DER of a certificate for a request."""
    (FOLDER / "client.ext").write_text("extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n"
                                       "basicConstraints=CA:FALSE\n")
    return openssl("x509", "-req", "-inform", "DER", "-CA", "ca.pem", "-CAkey", "ca.key", "-days",
                   "5", "-outform", "DER", "-extfile", "client.ext", data=base64_bytes(csr))


def shaken(slots):
    """The common name that a server sees in a handshake by slot a."""
    root("web")
    (FOLDER / "web.ext").write_text("subjectAltName=DNS:%s\n" % HOST)
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=leaf")
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "web.pem", "-CAkey", "web.key", "-days", "5",
            "-out", "leaf.pem", "-extfile", "web.ext")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(FOLDER / "leaf.pem", FOLDER / "leaf.key")
    server.load_verify_locations(FOLDER / "ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    files = slots.files("a")
    anchor = ssl.PEM_cert_to_DER_cert((FOLDER / "web.pem").read_text())
    client = tls.context([anchor], {"suites": "any", "strict": False}, files, False)
    slots.release(files)
    near, far = socket.socketpair()
    seen = []

    def serve():
        with server.wrap_socket(far, server_side=True) as made:
            seen.append(dict(part[0] for part in made.getpeercert()["subject"])["commonName"])

    thread = threading.Thread(target=serve)
    thread.start()
    with client.wrap_socket(near, server_hostname=HOST) as made:
        version = made.version()
        thread.join(20)
    return seen + [version]


def main():
    config = types.SimpleNamespace(
        state=types.SimpleNamespace(dir=str(FOLDER / "state")),
        trust=types.SimpleNamespace(site_dir=""))
    events, warned = [], []
    store = open_store(config, lambda *told: warned.append(told))[0]
    slots = Slots(store, None, lambda *told: warned.append(told))
    settings = types.SimpleNamespace(key_command=sys.argv[3:], wipe_command=())

    def warn(*told):
        warned.append(told)

    keys = SlotKeys(slots, None, Keys(settings, slots, Here(), warn), Here().start, events.append,
                    warn, lambda slot: None)
    keys.new_key(actions.NewKey("a", "p256"))
    keys.make_csr(actions.MakeCsr("a", CN))
    told = {"events": [repr(event) for event in events], "warned": warned,
            "label": ((slots.held("a") or {"key": ""})["key"]).partition("\n")[0],
            "version": ssl.OPENSSL_VERSION}
    if hasattr(events[-1], "csr"):
        root("ca")
        chain = [issued(events[-1].csr)]
        (FOLDER / "issued.pem").write_bytes(pem_of(chain))
        now_s = int(pathlib.Path(FOLDER / "issued.pem").stat().st_mtime)
        keys.install(actions.Install("a", chain, CN, "est", now_s))
        told["installed"] = type(events[-1]).__name__ + " " + getattr(events[-1], "value", "")
        told["shaken"] = shaken(slots) if told["installed"] == "Installed " else []
        keys.install(actions.Install("a", [issued(stranger())], CN, "est", now_s))
        told["other"] = events[-1].reason
    print(json.dumps(told))


def stranger():
    """A request by another key."""
    from anchorwatch.wire.encoding import base64_text

    return base64_text(openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
                               "ec_paramgen_curve:P-256", "-nodes", "-keyout", "other.key",
                               "-subj", "/CN=" + CN, "-outform", "DER"))


main()
