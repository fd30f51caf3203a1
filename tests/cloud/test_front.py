"""The front on real sockets: handshakes, switched chains, many clients, and their end."""

import asyncio
import hashlib
import ssl

import pytest

from hil.cloud.broker import Broker
from hil.cloud.certificates import Authority, pem
from hil.cloud.clock import Clock
from hil.cloud.front import Listener
from hil.cloud.journal import Journal
from hil.cloud.tlspolicy import Presented
from tests.cloud import spoken
from tests.cloud.echo import Echo
from tests.cloud.tlsclient import HOST, ask, at_end, context, opened, suite

pytestmark = pytest.mark.tls
AUTHORITY = Authority()
ACCEPTED = b"\x20\x02\x00\x00"


class Stage:
    """One listener with an echo behind it."""

    def __init__(self, chain: str = "g3-ecc", policy: str = "classic") -> None:
        self.journal, clock = Journal(), Clock()
        self.broker = Broker("hub", Echo(), self.journal)
        presented = Presented(AUTHORITY.chain(chain, [HOST]), policy)
        self.listener = Listener("hub", self.broker.accept, presented, self.journal, clock)

    async def __aenter__(self) -> "Stage":
        await self.listener.open("127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.listener.close()
        self.listener.cut_all()

    def last(self, what: str) -> dict:
        return self.journal.of(what)[-1]


def play(scene, **stage):
    """Run one scene on its stage."""

    async def played():
        async with Stage(**stage) as made:
            return await asyncio.wait_for(scene(made), 60)

    return asyncio.run(played())


def trusting(root: str, **more) -> ssl.SSLContext:
    return context(AUTHORITY.root(root), **more)


def test_a_client_that_trusts_the_root_connects_and_is_answered():
    async def scene(stage):
        reader, writer = await opened(stage.listener, trusting("g3"))
        assert await ask(reader, writer, spoken.connect(), 4) == ACCEPTED
        assert await ask(reader, writer, spoken.PINGREQ, 2) == b"\xd0\x00"
        row = stage.last("tls handshake")
        assert (row["chain"], row["server_name"], row["version"]) == ("g3-ecc", HOST, "TLSv1.2")
        assert row["suite"] == suite(writer) and row["client_certificate"] is None
        presented = writer.get_extra_info("ssl_object").getpeercert(True)
        assert row["leaf"] == hashlib.sha256(presented).hexdigest()

    play(scene)


def test_a_large_message_passes_both_ways_whole():
    async def scene(stage):
        reader, writer = await opened(stage.listener, trusting("g3"))
        await ask(reader, writer, spoken.connect(), 4)
        payload = bytes(range(256)) * 1000
        expected = spoken.publish("echo/a", payload)
        assert await ask(reader, writer, spoken.publish("a", payload), len(expected)) == expected

    play(scene)


def test_chains_are_switched_without_closing_a_session():
    async def scene(stage):
        old = await opened(stage.listener, trusting("g3"))
        assert await ask(*old, spoken.connect("old"), 4) == ACCEPTED
        stage.listener.presented.change(chain=AUTHORITY.chain("baltimore-rsa", [HOST]))
        with pytest.raises(ssl.SSLCertVerificationError):
            await opened(stage.listener, trusting("g3"))
        new = await opened(stage.listener, trusting("baltimore"))
        assert await ask(*new, spoken.connect("new"), 4) == ACCEPTED
        assert await ask(*old, spoken.PINGREQ, 2) == b"\xd0\x00"
        assert stage.last("tls handshake")["chain"] == "baltimore-rsa"
        assert (await row_of(stage, "tls failed"))["chain"] == "baltimore-rsa"

    play(scene)


def test_each_handshake_is_a_full_one():
    async def scene(stage):
        trusted = trusting("g3")
        _, writer = await opened(stage.listener, trusted)
        earlier = writer.get_extra_info("ssl_object").session
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trusted.wrap_bio(incoming, outgoing, server_hostname=HOST, session=earlier)
        reader, writer = await asyncio.open_connection(stage.listener.address, stage.listener.port)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(65536))
        assert not earlier.has_ticket and not tls.session_reused

    play(scene)


def test_a_client_certificate_of_nobody_passes_tls_and_reaches_the_service(tmp_path):
    nobody = AUTHORITY.chain("g3-ecc", ["nobody"])
    file = tmp_path / "client.pem"
    file.write_bytes(key_pem(nobody.key) + pem(*nobody.certificates))

    async def scene(stage):
        trusted = trusting("g3", certificate_file=str(file))
        reader, writer = await opened(stage.listener, trusted)
        await ask(reader, writer, spoken.connect(), 4)
        session = stage.broker.service.sessions["dev-1"]
        assert session.chain == [der(c) for c in nobody.certificates]
        assert stage.last("tls handshake")["client_certificate"] == nobody.leaf_sha256()

    play(scene)


def key_pem(key) -> bytes:
    from cryptography.hazmat.primitives import serialization as s

    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())


def der(certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "policy, ciphers, served",
    [
        ("classic", "ECDHE-RSA-AES256-SHA384", True),
        ("classic", "ECDHE-RSA-AES256-SHA", False),
        ("classic", "AES128-GCM-SHA256", False),
        ("classic", "ECDHE-ECDSA-AES128-GCM-SHA256", False),  # the chain is RSA
        ("legacy", "ECDHE-RSA-AES256-SHA", True),
        ("dps", "ECDHE-RSA-AES128-GCM-SHA256", True),
    ],
)
def test_only_the_suites_of_the_policy_are_served(policy, ciphers, served):
    async def scene(stage):
        try:
            _, writer = await opened(stage.listener, trusting("baltimore", ciphers=ciphers))
        except ssl.SSLError:
            assert not served
            await row_of(stage, "tls failed")
        else:
            assert served and suite(writer) == ciphers

    play(scene, chain="baltimore-rsa", policy=policy)


async def row_of(stage: Stage, what: str) -> dict:
    while not stage.journal.of(what):
        await asyncio.sleep(0)
    return stage.last(what)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_a_client_with_an_older_tls_is_refused():
    async def scene(stage):
        old = context()
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await opened(stage.listener, old)

    play(scene)


def test_a_policy_change_counts_from_the_next_handshake():
    async def scene(stage):
        old = await opened(stage.listener, trusting("g3"))
        stage.listener.presented.change(policy="dps")
        with pytest.raises(ssl.SSLError):
            await opened(stage.listener, trusting("g3"))
        assert await ask(*old, spoken.connect(), 4) == ACCEPTED

    play(scene)


def test_bytes_that_are_not_tls_are_closed_and_journalled():
    async def scene(stage):
        reader, writer = await asyncio.open_connection(stage.listener.address, stage.listener.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n" * 10)
        await asyncio.wait_for(reader.read(), 10)
        assert (await row_of(stage, "tls failed"))["reason"]

    play(scene)


def test_a_client_that_leaves_during_the_handshake_is_journalled():
    async def scene(stage):
        _, writer = await asyncio.open_connection(stage.listener.address, stage.listener.port)
        writer.close()
        assert (await row_of(stage, "tls failed"))["reason"] == "closed by the client"

    play(scene)


def test_a_session_whose_socket_goes_is_reported():
    async def scene(stage):
        reader, writer = await opened(stage.listener, trusting("g3"))
        await ask(reader, writer, spoken.connect(), 4)
        writer.transport.abort()
        while ("disconnected", "dev-1", "tcp") not in stage.broker.service.calls:
            await asyncio.sleep(0)
        assert not stage.listener.connections

    play(scene)


def test_a_session_closed_by_the_service_ends_at_the_client():
    async def scene(stage):
        reader, writer = await opened(stage.listener, trusting("g3"))
        await ask(reader, writer, spoken.connect(), 4)
        stage.broker.service.sessions["dev-1"].close("operator")
        assert await at_end(reader)

    play(scene)


def test_a_listener_that_closes_refuses_new_clients_and_keeps_the_old():
    async def scene(stage):
        old = await opened(stage.listener, trusting("g3"))
        stage.listener.close()
        with pytest.raises(OSError):
            await opened(stage.listener, trusting("g3"))
        assert await ask(*old, spoken.connect(), 4) == ACCEPTED
        stage.listener.cut_all()
        assert await at_end(old[0])

    play(scene)


def test_a_hundred_clients_are_served_at_once():
    async def scene(stage):
        trusted = trusting("g3")

        async def one(number: int) -> bytes:
            pair = await opened(stage.listener, trusted)
            assert await ask(*pair, spoken.connect("dev-%d" % number), 4) == ACCEPTED
            return await ask(*pair, spoken.PINGREQ, 2)

        assert set(await asyncio.gather(*map(one, range(100)))) == {b"\xd0\x00"}
        assert len(stage.broker.connections) == 100

    play(scene)
