"""What the README shows works: the configuration is accepted, every command and folder exists."""

import pathlib
import sys

from anchorwatch.config import Config
from anchorwatch.linux import commands

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = pathlib.Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()


def test_configuration_in_the_readme_is_accepted():
    block = TEXT.split("```toml\n")[1].split("```")[0]
    config = Config(tomllib.loads(block), "/etc/anchorwatch")
    assert config.dps.host and config.device.registration_id == "gateway-17"


def test_every_command_has_a_row_in_the_readme():
    actions = commands.parser()._actions
    known = next(action for action in actions if action.choices and "run" in action.choices).choices
    assert [name for name in known if "anchorwatch %s" % name not in TEXT] == []


def test_every_folder_and_picture_that_the_readme_names_exists():
    links = [part.split(")")[0].split("#")[0] for part in TEXT.split("](")[1:]]
    assert [link for link in links if not (ROOT / link).exists()] == []
