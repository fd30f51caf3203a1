"""Every command of the tool's README, run by a shell, in its order."""

import os
import pathlib
import shutil
import subprocess
import sys

from tests.linux import authority
from tests.vendor.workshop import G2

ROOT = pathlib.Path(__file__).parents[2]
README = ROOT / "agent" / "anchorwatch" / "vendor" / "README.md"
# The installed command is this program; a clone that was not installed has it too.
COMMAND = 'anchorwatch-bundle() { "%s" -m anchorwatch.vendor.cli "$@"; }\n' % sys.executable


def _commands():
    blocks = [part.partition("```")[0] for part in README.read_text().split("```console\n")[1:]]
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_walkthrough_runs_line_by_line(tmp_path):
    baltimore = authority.root("Baltimore CyberTrust Root")
    (tmp_path / "baltimore.pem").write_bytes(baltimore.pem)
    (tmp_path / "intermediate.pem").write_bytes(baltimore.issue("Test CA", ca=True).pem)
    shutil.copy(G2, tmp_path / "g2.pem")
    lines = _commands()
    script = COMMAND + "".join(["echo '%d'\n%s || exit 9\n" % row for row in enumerate(lines)])
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "agent"))
    done = subprocess.run(["bash", "-uc", script], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    assert len(lines) > 30 and "1 of 2 signatures" in done.stdout
    assert "would leave no trust anchor" in done.stderr
    assert "leaf or intermediate offered as a root" in done.stderr
    assert "PRIVATE" not in done.stdout + done.stderr
    names = {folder: sorted(os.listdir(tmp_path / folder)) for folder in ("factory", "factory-2")}
    assert [name[:9] for name in names["factory"]] == ["anchorwat", "baltimore", "vendor.ro"]
    assert [name[:9] for name in names["factory-2"]] == ["anchorwat", "digicert-", "vendor.ro"]


def test_every_command_of_the_tool_is_in_its_readme(capsys):
    from anchorwatch.vendor import cli
    commands = next(a for a in cli.parser()._actions if a.choices).choices
    text = README.read_text()
    assert [name for name in commands if "`%s" % name not in text
            and "anchorwatch-bundle %s" % name not in text] == []
