"""TLS servers that nobody here wrote: `openssl s_server`, `gnutls-serv` and mosquitto.

Rule: each profile of suites connects where it should, and the word is right where it should not.
"""

import base64
import time

import pytest

from anchorwatch.core.events import Verified
from hil.cloud.badservers.engines import Program, free_port, new_folder
from hil.cloud.badservers.papers import Papers
from hil.cloud.certificates import pem
from tests.linux import programs
from tests.linux.agent_process import AgentProcess
from tests.linux.dialling import DPS, HUB, der_of, dial
from tests.linux.test_time import TimeServer, sntp_answer

pytestmark = [pytest.mark.tls, pytest.mark.once]

NO_SUITE = ("policy", "no-common-suite")
MOSQUITTO = """listener %d 127.0.0.1
allow_anonymous true
certfile %s
keyfile %s
cafile %s
tls_version tlsv1.2
"""


@pytest.fixture(scope="module")
def papers():
    return Papers([HUB, DPS])


@pytest.fixture(scope="module")
def running(papers):
    """running(PROGRAM, CHAIN) -> its place; one process each for the whole file."""
    made = {}

    def run(program, chain):
        if (program, chain) not in made:
            made[program, chain] = PROGRAMS[program](papers, chain)
        return "127.0.0.1:%d" % made[program, chain].port

    yield run
    for process in made.values():
        process.close()


def _files(papers, names):
    """A folder with leaf, key and the rest of the chain of each kind, and the root's file."""
    folder = new_folder()
    for name in names:
        chain = papers.chain(name)
        for file, certificates in (("leaf", chain.certificates[:1]),
                                   ("above", chain.certificates[1:]),
                                   ("whole", chain.certificates)):
            (folder / ("%s.%s" % (name, file))).write_bytes(pem(*certificates))
        (folder / (name + ".key")).write_bytes(chain.key_pem())
        (folder / (name + ".key")).chmod(0o644)  # mosquitto gives up its rights before it reads
    folder.chmod(0o755)
    (folder / "root.pem").write_bytes(pem(papers.root.certificate))
    return folder


def _kinds(chain):
    return ["good-rsa", "good"] if chain == "both" else [chain]


def _openssl(papers, chain):
    kinds, port = _kinds(chain), free_port()
    folder = _files(papers, kinds)
    command = [programs.need("openssl", "openssl"), "s_server", "-quiet", "-tls1_2",
               "-accept", "127.0.0.1:%d" % port]
    for letter, kind in zip(("", "d"), kinds):
        command += ["-%scert" % letter, kind + ".leaf", "-%skey" % letter, kind + ".key",
                    "-%scert_chain" % letter, kind + ".above"]
    return Program("openssl", command, port, folder)


def _gnutls(papers, chain):
    kinds, port = _kinds(chain), free_port()
    folder = _files(papers, kinds)
    command = [programs.need("gnutls-serv", "gnutls-bin"), "--quiet", "--echo", "--port", str(port),
               "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"]
    for kind in kinds:
        command += ["--x509certfile", kind + ".whole", "--x509keyfile", kind + ".key"]
    return Program("gnutls-bin", command, port, folder)


def _mosquitto(papers, chain):
    program, port = programs.need("mosquitto", "mosquitto"), free_port()
    folder = _files(papers, [chain])
    config = folder / "mosquitto.conf"
    config.write_text(MOSQUITTO % (port, folder / (chain + ".whole"), folder / (chain + ".key"),
                                   folder / "root.pem"))
    return Program("mosquitto", [program, "-c", str(config)], port, folder)


PROGRAMS = {"openssl": _openssl, "gnutls": _gnutls, "mosquitto": _mosquitto}
# the server's chain, the device's suites, what is agreed: a key, or nothing
AGREED = (
    ("good", "ecdsa", "ECDSA"), ("good", "any", "ECDSA"), ("good", "rsa", None),
    ("good-rsa", "rsa", "RSA"), ("good-rsa", "any", "RSA"), ("good-rsa", "ecdsa", None),
)
AGREED_WITH_BOTH = (("both", "ecdsa", "ECDSA"), ("both", "rsa", "RSA"), ("both", "any", ""))
ROWS = [(program, *row) for program in PROGRAMS for row in AGREED]
ROWS += [(program, *row) for program in ("openssl", "gnutls") for row in AGREED_WITH_BOTH]


@pytest.mark.parametrize("program, chain, suites, key", ROWS)
@pytest.mark.parametrize("endpoint", ["hub", "dps"])
def test_each_profile_connects_where_it_should(papers, running, program, chain, suites, key,
                                               endpoint):
    place = running(program, chain)
    event = dial(endpoint, place, [der_of(papers.root.certificate)], suites=suites)
    if key is None:
        assert (event.fault, event.verdict) == NO_SUITE
    else:
        assert isinstance(event, Verified) and event.tls["version"] == "TLSv1.2"
        assert "ECDHE-%s" % key in event.tls["suite"]


WRONG = (
    ("unknown-root", ("trust", "unknown-issuer")), ("wrong-host", ("trust", "name-mismatch")),
    ("expired", ("trust", "expired")),
)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("chain, outcome", WRONG)
def test_wrong_chain_gets_its_verdict_whoever_serves_it(papers, running, program, chain, outcome):
    event = dial("hub", running(program, chain), [der_of(papers.root.certificate)])
    assert (event.fault, event.verdict) == outcome


CONFIG = """
[device]
device_id = "dev-7"
[credential]
kind = "symmetric_key"
key_file = "device.key"
[boot]
spread_s = 0
[fleet]
devices = 1
connects_per_s = 1000
[state]
dir = "state"
[trust]
factory_dir = "."
[clock]
sntp = "ntp.example.net:123"
[hub]
host = "%s"
allowed_suffixes = [".example.net"]
[resolve]
"ntp.example.net:123" = ["%s"]
"%s:8883" = ["%s"]
"""


def test_whole_agent_has_a_session_with_a_broker_that_nobody_here_wrote(tmp_path, papers, running):
    """mosquitto takes any password, and a subscription to anything."""
    (tmp_path / "good.pem").write_bytes(pem(papers.root.certificate))
    (tmp_path / "device.key").write_bytes(base64.b64encode(bytes(32)))
    (tmp_path / "device.key").chmod(0o600)
    config = tmp_path / "anchorwatch.toml"
    place = running("mosquitto", "good")
    with TimeServer(lambda asked: sntp_answer(asked, int(time.time()))) as ntp:
        config.write_text(CONFIG % (HUB, ntp, HUB, place))
        agent = AgentProcess(tmp_path, str(config))
        try:
            agent.ready()
            agent.until(lambda: _status(agent)["machines"]["connection"] == "online")
            endpoint = _status(agent)["endpoints"]["hub"]
        finally:
            agent.end()
    assert endpoint["version"] == "TLSv1.2" and "ECDSA" in endpoint["suite"]


def _status(agent):
    with agent.caller() as caller:
        return caller.ask("status")
