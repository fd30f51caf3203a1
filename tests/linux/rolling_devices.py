"""Devices of one emulated cloud that have their certificates issued, one for each issuer.

Rule: a device differs from the folder that the cloud made for its kind by name, certificate and
settings alone; what is asserted is seen in the journal, in the status or on the disk.
"""

import base64
import contextlib
import os
import shlex
import shutil
import signal
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from hil.bench.board import Process
from hil.bench.control import Denied, Line
from hil.bench.waiting import until
from hil.cloud import devicecerts, issuing
from hil.cloud.certificates import Issuer, pem
from tests import house

CLOUD = ("--chain", "g3-ecc", "--factory", "g3,baltimore")
EST, TENANT, MANAGED = "x509-est", "x509-tenant", "x509-managed"
KINDS = {"est": EST, "dps": MANAGED, "hub": MANAGED, "command": EST, "files": EST}
GROUPS = {EST: "group-est", TENANT: "group-tenant", MANAGED: "group-managed"}
SETTINGS = {
    "boot": {"spread_s": 0},
    "fleet": {"devices": 1, "connects_per_s": 1000},
    "reverify": {"confirm_s": 1, "swap_every_s": 0},
    "dps": {"spread_s": 0},
    "unauthorized": {"patience_s": 1},
}
IDENTITY = {"issue_every_s": 0, "trial_retry_s": 1}
WAITS = "waiting for the issuer"
COMMAND = """#!/bin/sh
cd {root} && exec {python} -m hil.cloud.issue {manage} est
"""


class Device(Process):
    """A device whose next certificate comes from `issuer`."""

    def __init__(self, cloud, name, issuer, kind):
        folder = cloud.folder / name
        shutil.copytree(cloud.folder / kind, folder)
        super().__init__(folder, name)
        self.cloud, self.issuer = cloud, issuer
        self.since = cloud.mark()

    def roll(self, reason="expiry"):
        """The operator's word; what the agent answers to it."""
        with Line(self.socket) as line:
            return line.ask("roll", reason=reason)

    def identity(self):
        return self.status()["identity"]

    def shows(self, waited_for, sought, within_s=60):
        """Wait until the status page's identity is as sought; it."""

        def look():
            page = self.identity()
            return page if sought(page) else None, {**page, "slots": sorted(page["slots"])}

        return until("%s: %s" % (self.name, waited_for), look, within_s)

    def serves(self, slot, within_s=90):
        """Wait until a slot serves and nothing is under way; its certificate."""
        found = self.shows("slot %s serves" % slot, lambda page: (
            page["active"], page["roll"]) == (slot, "resting"), within_s)  # fmt: skip
        self.reach("online")
        return found["slots"][slot]

    def configured(self):
        """SHA-256 of the certificate that the folder holds."""
        file = self.folder / "device.pem"
        return x509.load_pem_x509_certificate(file.read_bytes()).fingerprint(hashes.SHA256()).hex()

    def request(self):
        """The PEM of the request that is open, "" without one."""
        try:
            with Line(self.socket) as line:
                der = base64.b64decode(line.ask("identity_csr")["csr"])
        except Denied:
            return ""
        made = x509.load_der_x509_csr(der)
        return made.public_bytes(serialization.Encoding.PEM).decode().strip()

    def answered(self):
        """What an operator does for issuer `files`: request out, chain in."""
        if self.issuer != "files":
            return
        request = self.folder / "drop" / (self.name + ".csr")

        def look():
            found = request.read_text().strip() if request.exists() else ""
            return bool(found) and found == self.request(), found

        until("%s: its request lies there" % self.name, look, 20)
        request.with_suffix(".new").write_text(self.issued(request.read_text()))
        os.replace(request.with_suffix(".new"), request.with_suffix(".crt"))
        os.kill(self.pid, signal.SIGHUP)

    def given(self):
        """The same by hand, which needs no look into the folder and so none at the hub."""
        if self.issuer != "files":
            return
        self.shows("its request waits", lambda page: page["roll"] == WAITS)
        chain = [certificate.public_bytes(serialization.Encoding.DER) for certificate in
                 x509.load_pem_x509_certificates(self.issued(self.request()).encode())]
        with Line(self.socket) as line:
            line.ask("identity_install", chain=[base64.b64encode(der).decode() for der in chain])

    def issued(self, request):
        """What EST's CA gives for a request, as PEM."""
        return self.cloud.post("/issue", {"from": "est", "csr": request})["chain"]

    def ended_sessions(self):
        """Why its sessions at hubs ended so far, in their order."""
        rows = self.cloud.rows("disconnected", self.since, device=self.name)
        return [row["reason"] for row in rows if row["service"] != "dps"]


def made(cloud, name, issuer, kind=None, **settings):
    """A configured device that is off, with a certificate of its own by the CA of its kind."""
    kind = kind or KINDS[issuer]
    board = Device(cloud, name, issuer, kind)
    text = board.config.read_text().replace(cloud.ready["kinds"][kind], name)
    board.put(board.config.name, text.encode())
    _certify(cloud, board, kind)
    identity = {**IDENTITY, "issuer": issuer, **_way(cloud, board), **settings.pop("identity", {})}
    board.configure({**SETTINGS, "identity": identity, **settings})
    return board


def _certify(cloud, board, kind):
    """A leaf of its own, in a group that the services know; EST knows its secret."""
    if kind != MANAGED:
        cloud.post("/est", {"secrets": {board.name: "secret of " + board.name}})
        board.put("est.secret", ("%s:secret of %s\n" % (board.name, board.name)).encode())
        (board.folder / "est.secret").chmod(0o600)
    if kind == TENANT:
        _certify_by_tenant(cloud, board)
        return
    certificate = x509.load_pem_x509_certificate((board.folder / "ca.pem").read_bytes())
    key = serialization.load_pem_private_key((board.folder / "ca.key").read_bytes(), None)
    leaf = devicecerts.device(board.name, Issuer(certificate, key))
    board.put("device.key", devicecerts.key_pem(leaf))
    board.put("device.pem", pem(leaf.certificate, certificate))


def _certify_by_tenant(cloud, board):
    """By the tenant CA of the moment; it goes by its certificate at EST."""
    key = issuing.new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, board.name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    text = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    chain = cloud.post("/issue", {"from": "tenant", "csr": text.decode()})["chain"]
    certificate = x509.load_pem_x509_certificate(chain.encode())
    board.put("device.key", devicecerts.key_pem(Issuer(certificate, key)))
    board.put("device.pem", chain.encode())


def _way(cloud, board):
    """The settings that some issuers need, and what stands there."""
    if board.issuer == "files":
        (board.folder / "drop").mkdir()
        return {"drop_dir": "drop"}
    if board.issuer == "command":
        program(board)
        return {"command": [str(board.folder / "issue")]}
    return {}


def program(board, text=None):
    """The program of issuer `command`; another one if given."""
    root, python = map(shlex.quote, (str(house.ROOT), sys.executable))
    manage = board.cloud.ready["manage"]
    text = text or COMMAND.format(root=root, python=python, manage=manage)
    board.put("issue", text.encode())
    (board.folder / "issue").chmod(0o755)


@contextlib.contextmanager
def online(cloud, mark, issuers=tuple(KINDS), kind=None, before=None, **settings):
    """{issuer: device}, all with a session, ended after; before() is done while they are off."""
    boards = {one: made(cloud, "%s-%s" % (mark, one), one, kind, **settings) for one in issuers}
    try:
        if before:
            before()
        for board in boards.values():
            board.start()
        for board in boards.values():
            board.reach("online", 60)
        yield boards
    finally:
        for board in boards.values():
            if board.pid is not None:
                board.cut()


def rolled(boards, slot="a", reason="expiry", dropped=False):
    """Each device rolls; {issuer: its new certificate}. dropped: into the folder of `files`."""
    for board in boards:
        board.roll(reason)
    for board in boards:
        if dropped:
            board.answered()
        else:
            board.given()
    return {board.issuer: board.serves(slot) for board in boards}
