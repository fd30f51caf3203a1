"""A folder in which anchorwatch-bundle is used, by the words one types.

Rule: every step goes through main([...]); the clock is ours.
"""

import json
import pathlib

from anchorwatch.vendor import cli, dates

START_S = dates.utc_s("2027-01-15")
ROOTS = pathlib.Path(__file__).parents[2] / "agent" / "anchorwatch" / "data" / "roots"
G2 = str(ROOTS / "digicert-global-root-g2.pem")
G3 = str(ROOTS / "digicert-global-root-g3.pem")
RSA_2017 = str(ROOTS / "microsoft-rsa-root-ca-2017.pem")
G2_SHA256 = "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f"
G3_SHA256 = "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0"
HOLDERS = ("root-1", "root-2", "targets-1", "targets-2", "online-1")


class Workshop:
    """`path` holds the workspace `w`, the keys in `keys`, and what is published in `out`."""

    def __init__(self, path, capsys):
        self.path, self._capsys = path, capsys
        self.now_s = START_S
        self.dir, self.out, self.keys = (str(path / name) for name in ("w", "out", "keys"))

    def try_(self, command, *words):
        """(exit code, standard output, standard error)."""
        self._capsys.readouterr()
        try:
            code = cli.main([command, *words], lambda: self.now_s)
        except SystemExit as left:
            code = left.code
        return (code, *self._capsys.readouterr())

    def do(self, command, *words):
        """A command on the workspace that must work; what it printed."""
        code, out, err = self.try_(command, self.dir, *words)
        assert code == 0 and err == "", err
        return out

    def refused(self, command, *words):
        """A command on the workspace that must be refused and leave it as it was; the sentence."""
        before = tree(self.path)
        code, _, err = self.try_(command, self.dir, *words)
        assert code == 1, err
        assert tree(self.path) == before
        return err

    def wrong(self, command, *words):
        """The same for wrong usage."""
        before = tree(self.path)
        code, _, err = self.try_(command, self.dir, *words)
        assert code == 2, err
        assert tree(self.path) == before
        return err

    def key(self, name):
        return str(self.path / "keys" / (name + ".pem"))

    def public(self, name):
        return str(self.path / "keys" / (name + ".pub.pem"))

    def sign(self, *names):
        """With the keys of these holders, in one call; what it printed."""
        return self.do("sign", *[word for name in names for word in ("--key", self.key(name))])

    def sign_all(self, *names):
        """Everybody in turn, also who has nothing to sign."""
        for name in names or HOLDERS:
            self.try_("sign", self.dir, "--key", self.key(name))

    def publish(self):
        return self.do("publish", self.out)

    def init(self, *words):
        return self.do("init", "--keys", self.keys, *words)

    def release(self, *names):
        """Sign and publish what is drafted."""
        self.sign_all(*names)
        return self.publish()

    def trust(self):
        """trust.json as it is drafted, else as it was released last."""
        draft = self.path / "w" / "draft.json"
        if draft.exists():
            return json.loads(draft.read_text())["trust"]
        return json.loads((self.path / "out" / "trust.json").read_text())


def tree(path):
    """{name: bytes} of every file below a folder."""
    return {str(file.relative_to(path)): file.read_bytes()
            for file in sorted(path.rglob("*")) if file.is_file()}
