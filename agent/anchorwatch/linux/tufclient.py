"""`anchorwatch-tuf-client`: our verifier as a general TUF client, so that foreign suites judge it.

Rule: plain HTTP only, since the signatures carry the trust; every answer is bounded in bytes and
time. What is verified is written at once and stays, whatever is refused after it.

Source: the command line protocol of tuf-conformance (init, refresh, download).
"""

import argparse
import hashlib
import os
import socket
import sys
import time

from ..errors import AgentError, ConfigError, LinkError, MalformedMessage
from ..pki.delegations import Search
from ..pki.metadata import ROLES
from ..pki.roles import Meta
from ..pki.tuf import ROOT_AT_MOST, TrustedSet
from ..wire import encoding, http

DONE, REFUSED = 0, 1
_ANSWER_S = 30
_TARGET_AT_MOST = 16_777_216


class Client:
    """One run: `folder` holds the trusted metadata, `url` is where newer is fetched from."""

    def __init__(self, folder: str, url: str, utc_s: int) -> None:
        self._folder, self._url = folder, url
        root = self._kept("root")
        if root is None:
            raise ConfigError("no trusted root", folder, "run init first")
        kept = {role: self._kept(role) for role in ROLES[1:]}
        present = {role: data for role, data in kept.items() if data is not None}
        self._trusted = TrustedSet(root, present, utc_s)

    def refresh(self) -> None:
        """Root, timestamp, snapshot and targets as new as they are offered."""
        wanted = self._trusted.wanted()
        while wanted is not None:
            data = fetch(self._url, encoding.quote(wanted.name), wanted.at_most)
            role = self._trusted.take(data)
            if role:
                self._keep(role, data)
            wanted = self._trusted.wanted()

    def find(self, path: str) -> Meta:
        """What the targets, or whom they delegate to, say of a file."""
        search = Search(self._trusted, path)
        wanted = search.wanted()
        while wanted is not None:
            role = search.role()
            kept = self._kept(role)
            if kept is None or not search.recall(kept):
                data = fetch(self._url, encoding.quote(wanted.name), wanted.at_most)
                search.take(data)
                self._keep(role, data)
            wanted = search.wanted()
        if search.found is None:
            raise ConfigError("no such target", path, "ask its signers")
        return search.found

    def download(self, path: str, base_url: str, folder: str) -> None:
        """Fetch a target unless it is there already; only a verified one is written."""
        meta = self.find(path)
        local = os.path.join(folder, encoding.quote(path))
        there = _read(local)
        if there is not None and _is_meant(meta, there, path):
            return
        wanted = self._trusted.file_of_target(path, meta, _TARGET_AT_MOST)
        name = "/".join(encoding.quote(part) for part in wanted.name.split("/"))
        data = fetch(base_url, name, wanted.at_most)
        if data is None:
            raise LinkError("network", "missing", path, "ask its signers", "target is not there")
        meta.check(data, path, _more(data))
        write(local, data)

    def _kept(self, role: str) -> bytes | None:
        return _read(self._path(role))

    def _keep(self, role: str, data: bytes | None) -> None:
        write(self._path(role), data or b"")

    def _path(self, role: str) -> str:
        return os.path.join(self._folder, encoding.quote(role) + ".json")


def _is_meant(meta: Meta, data: bytes, path: str) -> bool:
    try:
        meta.check(data, path, _more(data))
    except AgentError:
        return False
    return True


def _more(data: bytes) -> dict[str, str]:
    """Hashes that a board has not got and other people's targets may use."""
    return {"sha512": hashlib.sha512(data).hexdigest()}


def fetch(base_url: str, name: str, at_most: int) -> bytes | None:
    """A file over plain HTTP, its name as it stands in an address; None if it is not there.

    Raises  LinkError, MalformedMessage: no answer, or none that can be taken
    """
    host, port, path = split(base_url)
    target = "%s/%s" % (path, name)
    answer = http.Response("GET", at_most)
    try:
        with socket.create_connection((host, port), timeout=_ANSWER_S) as link:
            link.sendall(http.request("GET", "%s:%d" % (host, port), target))
            _receive(link, answer)
    except OSError as error:
        raise LinkError("network", "unreachable", "%s:%d" % (host, port),
                        "see that the server runs", "mirror does not answer") from error
    if answer.status in (403, 404):
        return None
    if answer.status != 200:
        raise MalformedMessage("mirror gives no file", "%s, status %d" % (name, answer.status))
    return answer.body


def _receive(link: socket.socket, answer: http.Response) -> None:
    end = time.monotonic() + _ANSWER_S
    while not answer.done:
        if time.monotonic() > end:
            raise OSError("answer takes too long")
        data = link.recv(65_536)
        if not data:
            answer.finish()
            return
        answer.feed(data)


def split(url: str) -> tuple[str, int, str]:
    """(host, port, path without its last slash) of `http://HOST[:PORT]/PATH`."""
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    host, colon, port = authority.partition(":")
    if scheme != "http" or not host or (colon and not port.isdecimal()):
        raise ConfigError("not a plain HTTP address", url, "give http://HOST:PORT/PATH")
    return host, int(port or 80), ("/" + path).rstrip("/")


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(_TARGET_AT_MOST)
    except FileNotFoundError:
        return None


def write(path: str, data: bytes) -> None:
    """Replace a file whole: a reader finds the old one or the new one."""
    with open(path + ".new", "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def init(arguments) -> int:
    """Trust a root that came another way; nothing is fetched."""
    data = _read(arguments.root)
    if data is None or len(data) > ROOT_AT_MOST:
        raise ConfigError("root cannot be read", arguments.root, "name a root.json")
    write(os.path.join(arguments.metadata_dir, "root.json"), data)
    return DONE


def refresh(arguments) -> int:
    """Bring the metadata up to date."""
    _client(arguments).refresh()
    return DONE


def download(arguments) -> int:
    """Bring the metadata up to date, then fetch targets in the order given; stop at the first that
    is refused."""
    client = _client(arguments)
    client.refresh()
    for path in arguments.target_name:
        client.download(path, arguments.target_base_url, arguments.target_dir)
    return DONE


def _client(arguments) -> Client:
    if not arguments.metadata_url:
        raise ConfigError("no --metadata-url", "", "say where the metadata is fetched from")
    return Client(arguments.metadata_dir, arguments.metadata_url, int(time.time()))


def parser() -> argparse.ArgumentParser:
    """What can be asked."""
    made = argparse.ArgumentParser("anchorwatch-tuf-client", description="A TUF client.")
    made.add_argument("--metadata-dir", required=True, help="folder of trusted metadata")
    made.add_argument("--metadata-url", help="where newer metadata is, http://...")
    made.add_argument("--target-name", action="append", default=[], help="path of a target")
    made.add_argument("--target-base-url", default="", help="where targets are, http://...")
    made.add_argument("--target-dir", default=".", help="folder for targets")
    commands = made.add_subparsers(required=True, metavar="init|refresh|download")
    for name, command in (("init", init), ("refresh", refresh), ("download", download)):
        one = commands.add_parser(name, help=(command.__doc__ or "").partition(";")[0])
        one.set_defaults(command=command)
        if name == "init":
            one.add_argument("root", help="file that holds the first root")
    return made


def main(argv: list[str] | None = None) -> int:
    """Perform one command; the exit code, 0 or 1."""
    arguments = parser().parse_args(argv)
    try:
        status: int = arguments.command(arguments)
        return status
    except (AgentError, OSError) as error:
        print("anchorwatch-tuf-client: %s" % error, file=sys.stderr)
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
