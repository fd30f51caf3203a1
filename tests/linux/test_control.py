"""The control socket: lines, limits, roles, streams, and who serves the cloud's calls."""

import base64
import contextlib
import json
import os
import selectors
import socket

import pytest

from anchorwatch.core.events import Asked
from anchorwatch.linux.applications import Applications
from anchorwatch.linux.caller import Caller, Refusal
from anchorwatch.linux.control import (
    ADMIN,
    CLIENTS_AT_MOST,
    LINE_AT_MOST,
    READ,
    SEND,
    Client,
    Control,
    role_of,
)
from anchorwatch.linux.requests import TABLE, Requests
from anchorwatch.performers.outbox import Outbox
from tests.linux.agent_process import AgentProcess, write_config


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    path = tmp_path_factory.mktemp("agent")
    running = AgentProcess(path, write_config(path))
    running.ready()
    yield running
    assert running.end() == 0


@contextlib.contextmanager
def _raw(agent):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(agent.socket)
        yield sock, sock.makefile("rb")


def _answer(agent, line):
    with _raw(agent) as (sock, lines):
        sock.sendall(line)
        return json.loads(lines.readline())


def test_an_answer_carries_the_id_of_its_request(agent):
    answer = _answer(agent, b'{"id": 41, "do": "status"}\n')
    assert answer["id"] == 41 and answer["ok"] and answer["is"]["schema"] == 1


@pytest.mark.parametrize("line,what", [
    (b"hello\n", "JSON"),
    (b"[1]\n", "JSON is not an object"),
    (b'{"id": 1, "do": "dance"}\n', "no such request"),
    (b'{"id": 1}\n', "no such request"),
    (b'{"id": 1, "do": ["status"]}\n', "no such request"),
    (b'{"id": 1, "do": "status", "with": 3}\n', "no such request"),
    (b'{"id": 1, "do": "send", "with": {"payload": "%"}}\n', "payload is not base64"),
    (b'{"id": 1, "do": "send", "with": {"properties": 1}}\n', "properties are no table"),
    (b'{"id": 1, "do": "send", "with": {"properties": {"$.mid": "x"}}}\n', "not a name for"),
    (b'{"id": 1, "do": "send", "with": {"properties": {"a": 1}}}\n', "property is not text"),
    (b'{"id": 1, "do": "send", "with": {"mid": 7}}\n', "mid is missing or no text"),
    (b'{"id": 1, "do": "send", "with": {"mid": "a\\u0000b"}}\n', "mid holds control characters"),
    (b'{"id": 1, "do": "roots_explain", "with": {"sha256": "zz"}}\n', "not a SHA-256"),
    (b'{"id": 1, "do": "roots_add", "with": {"pem": "x"}}\n', "PEM file without"),
    (b'{"id": 1, "do": "roots_distrust", "with": {"sha256": "", "now": "yes"}}\n',
     "now is neither true nor false"),
    (b'{"id": 1, "do": "roots_import"}\n', "not one place for a bundle"),
    (b'{"id": 1, "do": "roots_revert", "with": {"layer": "factory"}}\n', "no layer of signed"),
    (b'{"id": 1, "do": "roots_revert", "with": {}}\n', "no bundle to take back"),
    (b'{"id": 1, "do": "told", "with": {"word": "x"}}\n', "no such word"),
    (b'{"id": 1, "do": "logs", "with": {"most": -1}}\n', "most cannot be this"),
    (b'{"id": 1, "do": "serve", "with": {"methods": "m"}}\n', "methods are no list"),
    (b'{"id": 1, "do": "reply", "with": {}}\n', "rid is missing"),
    (b'{"id": 1, "do": "status", "do": "status"}\n', "JSON"),
])
def test_bad_request_is_answered_with_what_is_wrong_and_the_agent_lives(agent, line, what):
    answer = _answer(agent, line)
    assert not answer["ok"] and answer["code"] in (1, 2)
    assert what in answer["what"], answer
    assert _answer(agent, b'{"do": "status"}\n')["ok"]


def test_line_that_is_too_long_is_refused_and_its_client_dropped(agent):
    with _raw(agent) as (sock, lines):
        sock.sendall(b'{"do": "' + b"x" * LINE_AT_MOST + b'"')
        assert not json.loads(lines.readline())["ok"]
        with contextlib.suppress(ConnectionResetError):
            assert lines.readline() == b""
    assert _answer(agent, b'{"do": "status"}\n')["ok"]


def test_requests_that_arrive_in_pieces_or_together_are_all_answered(agent):
    with _raw(agent) as (sock, lines):
        sock.sendall(b'{"id": 1, "do": "sta')
        sock.sendall(b'tus"}\n{"id": 2, "do": "metrics"}\n\n{"id": 3, "do": "logs"}\n')
        assert [json.loads(lines.readline())["id"] for _ in range(3)] == [1, 2, 3]


def test_one_client_too_many_is_told_to_try_later(agent):
    with contextlib.ExitStack() as stack:
        for _ in range(CLIENTS_AT_MOST):
            sock, lines = stack.enter_context(_raw(agent))
            sock.sendall(b'{"do": "status"}\n')
            lines.readline()
        _, lines = stack.enter_context(_raw(agent))
        assert json.loads(lines.readline())["code"] == 3
    agent.until(lambda: _answer(agent, b'{"do": "status"}\n').get("ok"))


def test_watching_client_sees_what_happens_as_it_happens(agent):
    with agent.caller() as watcher, agent.caller() as other:
        watcher.ask("watch")
        other.ask("roots_distrust", {"sha256": "ef" * 32})
        event = next(e for e in watcher.events() if e["event"] == "trust")
    assert event["layer"] == "site" and event["distrust"] == 1 and event["t_ms"] > 0


def test_message_sent_without_a_hub_waits_in_the_queue(agent):
    with agent.caller() as caller:
        before = caller.ask("status")["queue"]["waiting"]
        payload = base64.b64encode(b"hello").decode()
        mid = caller.ask("send", {"payload": payload, "properties": {"alarm": "1"}})["mid"]
        assert caller.ask("send", {"payload": payload, "mid": "mine"})["mid"] == "mine"
        assert mid and caller.ask("status")["queue"]["waiting"] == before + 2
        text = caller.ask("metrics")["text"]
        assert "anchorwatch_queue_waiting %d\n" % (before + 2) in text
        assert "anchorwatch_warnings 0\n" in text


def test_removing_the_last_root_is_refused_and_changes_nothing(agent):
    with agent.caller() as caller:
        roots = caller.ask("roots_list")["roots"]
        for root in roots[:-1]:
            caller.ask("roots_distrust", {"sha256": root["sha256"]})
        with pytest.raises(Refusal, match="leave no trust anchor") as refused:
            caller.ask("roots_distrust", {"sha256": roots[-1]["sha256"]})
        assert refused.value.code == 1
        assert caller.ask("roots_list")["roots"][-1]["offered"] == ["dps", "hub"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_may_read_and_neither_send_nor_command(tmp_path):
    """The state's folder is closed to others, so the socket stands in an open one."""
    tmp_path.chmod(0o755)
    open_path = "/tmp/anchorwatch-test-%d.sock" % os.getpid()
    config = write_config(tmp_path, '[control]\nsocket = "%s"\n' % open_path)
    running = AgentProcess(tmp_path, config)
    running.socket = open_path
    running.ready()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        answers = []
        for do in ("status", "send", "reverify"):
            try:
                with Caller(open_path) as caller:
                    caller.ask(do)
                answers.append("done")
            except Refusal as error:
                answers.append(error.what)
            except BaseException as error:
                answers.append(repr(error))
        os.write(writer, json.dumps(answers).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert json.loads(os.read(reader, 4096)) == ["done", "not permitted", "not permitted"]
    assert running.end() == 0


def test_role_follows_user_and_group():
    role = role_of(group=77)
    assert role(os.geteuid(), []) == role(0, []) == ADMIN
    assert role(12345, [1, 77]) == SEND and role(12345, [1]) == READ
    assert role_of(group=None)(12345, [77]) == READ


class Lines:
    """Stands for Control: remembers what was sent."""

    def __init__(self):
        self.clients, self.sent = [], []

    def send(self, client, tree):
        self.sent.append((client.number, tree))


def _requests(may):
    lines, posted = Lines(), []
    applications = Applications(lines.send, posted.append)
    requests = Requests(lambda: {"schema": 1}, Outbox(None, 1).put, None, None, applications,
                        posted.append)
    requests.control = lines
    client = Client(1, None, may)
    lines.clients.append(client)
    return requests, client, lines, posted


@pytest.mark.parametrize("do,needed", [(row[0], row[1]) for row in TABLE])
def test_every_request_is_refused_to_a_lower_role(do, needed):
    order = (READ, SEND, ADMIN)
    for may in order[:order.index(needed)]:
        requests, client, lines, posted = _requests(may)
        requests.take(client, {"id": 5, "do": do})
        assert [(n, t["what"], t["code"]) for n, t in lines.sent] == [(1, "not permitted", 1)]
        assert posted == []


def test_answer_of_the_core_goes_to_the_client_that_asked():
    requests, client, lines, posted = _requests(ADMIN)
    requests.take(client, {"id": "a", "do": "reverify"})
    assert posted == [Asked("reverify", {"swap": False, "by": "operator"}, posted[0].ask_id)]
    requests.answered({"ask_id": posted[0].ask_id, "ok": True, "is": {"looking": "x"}})
    assert lines.sent == [(1, {"ok": True, "is": {"looking": "x"}, "id": "a"})]
    requests.answered({"ask_id": posted[0].ask_id, "ok": True, "is": {}})
    assert len(lines.sent) == 1


def test_client_with_too_many_open_requests_is_refused_the_next():
    requests, client, lines, posted = _requests(ADMIN)
    for number in range(65):
        requests.take(client, {"id": number, "do": "reverify"})
    assert len(posted) == 64 and lines.sent[0][1]["what"] == "too many open requests"


def test_answer_for_a_client_that_left_is_let_go():
    requests, client, lines, posted = _requests(ADMIN)
    requests.take(client, {"id": 1, "do": "reverify"})
    requests.gone(client)
    requests.answered({"ask_id": posted[0].ask_id, "ok": True, "is": {}})
    assert lines.sent == []


def test_call_goes_to_the_program_that_serves_the_method_and_its_reply_to_the_core():
    requests, client, lines, posted = _requests(ADMIN)
    requests.take(client, {"id": 1, "do": "serve", "with": {"methods": ["blink"]}})
    requests._applications.told(9, "method", {"name": "blink", "rid": "r1", "payload": {"n": 1}})
    assert lines.sent[1] == (1, {"name": "blink", "rid": "r1", "payload": {"n": 1},
                                 "event": "method", "t_ms": 9})
    requests.take(client, {"id": 2, "do": "reply",
                           "with": {"rid": "r1", "status": 200, "payload": {"ok": True}}})
    assert posted[0].arguments == {"rid": "r1", "status": 200, "payload": {"ok": True},
                                   "by": "operator"}
    requests.gone(client)
    assert len(posted) == 1


def test_call_that_nobody_serves_is_answered_at_once():
    requests, _, _, posted = _requests(ADMIN)
    requests._applications.told(9, "method", {"name": "blink", "rid": "r1", "payload": None})
    assert (posted[0].what, posted[0].arguments["rid"], posted[0].arguments["status"]) == (
        "reply", "r1", 404)


def test_open_call_of_a_program_that_leaves_is_answered_for_it():
    requests, client, _, posted = _requests(ADMIN)
    requests.take(client, {"id": 1, "do": "serve", "with": {"methods": ["blink"]}})
    requests._applications.told(9, "method", {"name": "blink", "rid": "r1", "payload": None})
    requests.gone(client)
    assert (posted[0].arguments["rid"], posted[0].arguments["status"]) == ("r1", 503)


def test_messages_go_to_who_wants_them_and_not_to_who_only_watches():
    requests, client, lines, _ = _requests(ADMIN)
    requests.take(client, {"id": 1, "do": "watch"})
    requests.told(1, "c2d", {"payload": b"x"})
    assert len(lines.sent) == 1
    requests.take(client, {"id": 2, "do": "serve", "with": {"c2d": True, "desired": True}})
    requests._applications.told(3, "c2d", {"payload": b"x", "properties": {}})
    assert lines.sent[-1][1] == {"event": "c2d", "t_ms": 3, "payload": b"x", "properties": {}}


def test_client_that_does_not_read_is_dropped_and_blocks_nobody(tmp_path):
    gone = []
    with selectors.DefaultSelector() as selector:
        control = Control(selector, str(tmp_path / "s"), lambda uid, gids: READ, None, gone.append)
        with socket.socket(socket.AF_UNIX) as slow:
            slow.connect(str(tmp_path / "s"))
            for key, mask in selector.select(5):
                key.data(mask)
            client = control.clients[0]
            sent = 0
            while not gone and sent < 1000:
                control.send(client, {"text": "x" * 10_000})
                sent += 1
            assert gone == [client] and control.clients == [] and sent < 1000
            control.send(client, {"late": True})
        control.close()


def test_socket_of_a_killed_agent_is_taken_over_and_that_of_a_living_one_is_not(tmp_path):
    from anchorwatch.errors import ConfigError

    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    with selectors.DefaultSelector() as selector:
        control = Control(selector, path, None, None, None)
        with pytest.raises(ConfigError, match="another agent listens"):
            Control(selector, path, None, None, None)
        control.close()


def test_socket_in_a_folder_with_a_very_long_path_is_reached(tmp_path):
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    folder.mkdir(parents=True)
    path = str(folder / "control.sock")
    with selectors.DefaultSelector() as selector:
        control = Control(selector, path, lambda uid, gids: READ, None, lambda client: None)
        with Caller(path):
            for key, mask in selector.select(5):
                key.data(mask)
            assert len(control.clients) == 1
        control.close()
    assert not os.path.exists(path)
