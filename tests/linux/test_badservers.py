"""Wrong servers, as hub and as DPS: none gets a session, none learns a secret, each gets its word.

Rule: what a server learnt is read off its own wire; the clock is authenticated in all of these.
"""

import json
import subprocess
import sys
import time
import tracemalloc

import pytest
from cryptography import x509

from anchorwatch.core.events import Failed, Verified
from anchorwatch.linux.check import checked
from anchorwatch.linux.verdicts import WORDS
from hil.cloud.badservers import engines
from hil.cloud.badservers.papers import WRONG_HOST, Papers
from hil.cloud.badservers.relay import Manner, Relay
from hil.cloud.badservers.rows import ABUSIVE, BY_NAME, GNUTLS, PROVEN, ROWS
from hil.cloud.badservers.server import BadServer
from hil.cloud.certificates import pem
from tests.linux import authority, programs
from tests.linux.agent_process import AgentProcess
from tests.linux.dialling import DPS, HUB, der_of, dial
from tests.linux.test_time import TimeServer, sntp_answer

pytestmark = [pytest.mark.tls, pytest.mark.once]

# A dial to a server that only wastes time is cut short; what the word is does not depend on it.
SHORT_S = 0.6
MEMORY_AT_MOST = 1_500_000
RESIDENT_AT_MOST = 6_000_000
NAMES = [row.name for row in ROWS]
ABUSERS = [row.name for row in ROWS if ABUSIVE in row.marks]


@pytest.fixture(scope="module")
def papers():
    return Papers([HUB, DPS])


@pytest.fixture(scope="module")
def credential(tmp_path_factory):
    """A device's certificate and key: what no wrong server may be shown."""
    device = authority.root("Tenant CA").issue("dev-7", client=True)
    return device.write(tmp_path_factory.mktemp("device"))


@pytest.fixture
def serve(papers):
    """serve(NAME) -> a wrong server, closed after the test."""
    begun = []

    def begin(name):
        if BY_NAME[name].by == GNUTLS:
            programs.need("gnutls-serv", "gnutls-bin")
        begun.append(BadServer(name, papers))
        return begun[-1]

    yield begin
    for server in begun:
        server.close()


def tried(server, endpoint, credential):
    row = server.row
    return dial(endpoint, server.place, [der_of(server.papers.root.certificate)],
                credential=credential, dial_s=SHORT_S if ABUSIVE in row.marks else 20,
                max_fragment=row.fragment)


def outcome(event):
    return (event.fault, event.verdict)


@pytest.mark.parametrize("endpoint", ["hub", "dps"])
@pytest.mark.parametrize("name", NAMES)
def test_wrong_server_gets_its_verdict_and_learns_nothing(serve, credential, name, endpoint):
    server = serve(name)
    event = tried(server, endpoint, credential)
    assert isinstance(event, Failed)
    assert outcome(event) == (server.row.fault, server.row.verdict)
    leaked = server.leaked()
    assert leaked["application"] == 0
    if PROVEN not in server.row.marks:
        assert leaked["credential"] == 0


@pytest.mark.parametrize("name", [row.name for row in ROWS if PROVEN in row.marks])
def test_device_with_a_token_tells_nothing_to_a_server_that_breaks_off(serve, name):
    """A good chain with its key may see the certificate; a device without one has none to show."""
    server = serve(name)
    assert outcome(tried(server, "hub", None)) == (server.row.fault, server.row.verdict)
    assert server.leaked() == {"credential": 0, "application": 0}


def test_same_front_sees_the_credential_that_a_good_chain_is_shown(papers, credential):
    """Otherwise the table above could not fail: this is what a leak looks like."""
    roots = [der_of(papers.root.certificate)]
    engine = engines.openssl(papers.chain("good"))
    front = Relay(engine.port, Manner())
    place = "127.0.0.1:%d" % front.port
    try:
        assert isinstance(dial("hub", place, roots), Verified)
        assert outcome(dial("hub", place, roots, credential=credential))[0] == "identity"
        assert all(visit.over.wait(10) for visit in front.visits)
    finally:
        front.close()
        engine.close()
    assert [visit.client.credential > 500 for visit in front.visits] == [False, True]


def test_there_are_twenty_odd_of_them_and_each_has_one_name():
    assert len(ROWS) >= 29 and len(BY_NAME) == len(ROWS)


@pytest.mark.parametrize("name, position, shown", [
    ("wrong-host", 0, ", for " + WRONG_HOST), ("no-names", 0, ", for no name"),
    ("address-only", 0, ", for 127.0.0.1"), ("unknown-root", -1, "CN=Unknown Root"),
    ("inspected", -1, "CN=Zscaler Root CA"), ("missing-intermediate", -1, "CN=Good Issuing CA"),
])
def test_refusal_names_what_was_presented(serve, name, position, shown):
    assert shown in tried(serve(name), "hub", None).presented[position]


def test_every_verdict_is_of_the_closed_list():
    words = {"alert-N" if row.verdict.startswith("alert-") else row.verdict for row in ROWS}
    assert words - set(WORDS) == set()


# A server of its own process, so that only the device's memory and time are measured.

class Served:
    """`python -m hil.cloud.badservers --serve NAME`."""

    def __init__(self, folder, name, *hosts):
        self.root_file = folder / "root.pem"
        command = [sys.executable, "-m", "hil.cloud.badservers", "--serve", name, "--until-eof",
                   "--root", str(self.root_file)]
        for host in hosts or (HUB, DPS):
            command += ["--host", host]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.place = self.ready["address"]
        self.root = x509.load_pem_x509_certificate(self.root_file.read_bytes())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()

    def end(self):
        """Close it; what its clients told, a row each."""
        rest, _ = self.process.communicate(timeout=20)
        return [json.loads(line) for line in rest.splitlines()]


def _uss():
    """Bytes of this process that no other shares."""
    with open("/proc/self/smaps_rollup", encoding="ascii") as rollup:
        return 1024 * sum(int(line.split()[1]) for line in rollup if line.startswith("Private"))


@pytest.mark.parametrize("name", ABUSERS)
def test_abusive_server_costs_bounded_time_and_memory(tmp_path, name):
    with Served(tmp_path, name) as served:
        roots = [der_of(served.root)]
        dial("hub", served.place, roots, dial_s=SHORT_S)
        before, began = _uss(), time.monotonic()
        tracemalloc.start()
        try:
            for _ in range(3):
                event = dial("hub", served.place, roots, dial_s=SHORT_S)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        took_s = time.monotonic() - began
        assert outcome(event) == (served.ready["fault"], served.ready["verdict"])
        assert peak < MEMORY_AT_MOST and _uss() - before < RESIDENT_AT_MOST
        assert took_s < 3 * (SHORT_S + 5)  # of a busy machine; without a bound, for ever
        said = served.end()
    assert len(said) == 4 and {row["application"] for row in said} == {0}


CONFIG = """
[device]
id_scope = "0ne00AB12CD"
registration_id = "dev-7"
device_id = "dev-7"
[credential]
kind = "x509"
cert_file = "device.pem"
key_file = "device.key"
[boot]
spread_s = 0
[fleet]
devices = 1
connects_per_s = 1000
[state]
dir = "state"
[trust]
factory_dir = "factory"
[clock]
sntp = "ntp.example.net:123"
[hub]
allowed_suffixes = [".example.net"]
%s
[resolve]
"ntp.example.net:123" = ["%s"]
"%s:8883" = ["%s"]
"""
ENDPOINTS = {"hub": 'host = "%s"' % HUB, "dps": '[dps]\nhost = "%s"' % DPS}


def _device(folder, endpoint, served, ntp):
    (folder / "factory").mkdir()
    (folder / "factory" / "good.pem").write_bytes(served.root_file.read_bytes())
    authority.root("Tenant CA").issue("dev-7", client=True).write(folder)
    config = folder / "anchorwatch.toml"
    host = {"hub": HUB, "dps": DPS}[endpoint]
    config.write_text(CONFIG % (ENDPOINTS[endpoint], ntp, host, served.place))
    return AgentProcess(folder, str(config))


def _fault(agent):
    with agent.caller() as caller:
        return caller.ask("status")["fault"] or {}


@pytest.mark.parametrize("name, endpoint, value", [
    ("unknown-root", "dps", "CN=Unknown Root"), ("wrong-host", "hub", WRONG_HOST),
    ("stolen-chain", "hub", "CN=Good Root"), ("rsa-exchange", "dps", "")])
def test_whole_agent_tells_the_verdict_and_gives_nothing_away(tmp_path, name, endpoint, value):
    ntp = TimeServer(lambda asked: sntp_answer(asked, int(time.time())))
    with ntp as place, Served(tmp_path, name) as served:
        agent = _device(tmp_path, endpoint, served, place)
        try:
            agent.ready()
            # A first dial may come before the time does: its dates are then the clock's matter.
            agent.until(lambda: _fault(agent).get("class") not in (None, "clock"))
            fault = _fault(agent)
        finally:
            agent.end()
        said = served.end()
    assert (fault["class"], fault["verdict"]) == (BY_NAME[name].fault, BY_NAME[name].verdict)
    assert value in fault["value"] and fault["remedy"]
    assert said and {(row["credential"], row["application"]) for row in said} == {(0, 0)}


def test_table_is_told_for_people_and_for_scripts():
    command = [sys.executable, "-m", "hil.cloud.badservers", "--list"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
    told = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True,
                          timeout=20).stdout
    assert [line.split()[0] for line in shown.splitlines()] == NAMES
    assert [json.loads(line)["name"] for line in told.splitlines()] == NAMES


def test_slow_server_that_is_in_time_is_waited_for(papers):
    engine = engines.openssl(papers.chain("good"))
    front = Relay(engine.port, Manner(byte_every_s=0.0001))
    try:
        event = dial("hub", "127.0.0.1:%d" % front.port, [der_of(papers.root.certificate)])
    finally:
        front.close()
        engine.close()
    assert isinstance(event, Verified) and len(front.visits) == 1


@pytest.mark.parametrize("name, step", [
    ("wrong-host", "name"), ("unknown-root", "anchor"), ("inspected", "anchor"),
    ("missing-intermediate", "anchor"), ("sha1", "chain"), ("cbc-sha1", "tls"), ("alert", "tls"),
    ("many-names", "tls"), ("stolen-chain", "anchor"), ("closed-in-flight", "tls"),
])
def test_check_says_the_same_word(serve, papers, tmp_path, name, step):
    """Dates apart: without a time server a date is the clock's matter."""
    server = serve(name)
    (tmp_path / "factory").mkdir()
    (tmp_path / "factory" / "good.pem").write_bytes(pem(papers.root.certificate))
    authority.root("Tenant CA").issue("dev-7", client=True).write(tmp_path)
    config = tmp_path / "anchorwatch.toml"
    text = CONFIG % (ENDPOINTS["hub"], "127.0.0.1:1", HUB, server.place)
    config.write_text(text.replace('sntp = "ntp.example.net:123"', 'sntp = ""'))
    rows = [row for row in checked(str(config)) if row["endpoint"] == "hub" and row["ok"] is False]
    assert [(row["step"], row["fault"], row["verdict"]) for row in rows] == [
        (step, server.row.fault, server.row.verdict)]
    assert rows[0]["remedy"] and server.leaked() == {"credential": 0, "application": 0}
