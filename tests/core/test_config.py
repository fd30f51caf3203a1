"""The configuration: what is taken, what is refused, and how a refusal helps."""

import copy
import os
import pathlib
import re

import pytest

from anchorwatch import config as config_module
from anchorwatch.config import Config
from anchorwatch.errors import ConfigError
from anchorwatch.settings import ENDPOINTS, TABLE, documentation

ROOT = pathlib.Path(__file__).parents[2]
KEY = "18RQk/hOPJR9EbsJlk2j8WA6vWaj/yi+oaYg7zmxfQNdOyMSu+SJ8O7TSlZhDJCYmn4rzEiVKIzNiVAWjLxrGA=="


def tree(**sections):
    """A small good configuration, with `sections` put over it."""
    good = {
        "device": {"id_scope": "0ne0012", "registration_id": "dev-7"},
        "credential": {"cert_file": "device.pem", "key_file": "/keys/device.key"},
        "dps": {},
    }
    for name, settings in sections.items():
        good[name] = {**good.get(name, {}), **settings}
    return good


def refusal(bad):
    before = copy.deepcopy(bad)
    with pytest.raises(ConfigError) as caught:
        Config(bad)
    assert bad == before
    assert caught.value.what and caught.value.remedy
    return str(caught.value)


def test_every_setting_has_its_default_under_its_section():
    config = Config(tree())
    assert config.reverify.interval_s == 2700
    assert config.reverify.action == "swap_if_changed"
    assert config.mqtt.keepalive_s == 240 and config.mqtt.in_flight == 20
    assert config.unauthorized.patience_s == 600
    assert (config.fleet.devices, config.fleet.connects_per_s) == (1000, 100)
    assert config.trust.hold_max_s == 14 * 86_400
    assert (config.sas.lifetime_s, config.sas.renew_at) == (3600, 0.75)
    assert config.dps.port == config.hub.port == 8883


def test_strictness_is_on_for_the_service_and_off_for_private_endpoints():
    tls = Config(tree(tls={"est": {"strict": True}})).tls
    assert (tls.hub.strict, tls.dps.strict, tls.est.strict, tls.mirror.strict) == (
        True,
        True,
        True,
        False,
    )


def test_registration_id_is_the_device_id_unless_one_is_given():
    assert Config(tree()).device.device_id == "dev-7"
    assert Config(tree(device={"device_id": "pump"})).device.device_id == "pump"


def test_relative_paths_start_at_the_folder_of_the_file():
    config = Config(tree(state={"dir": "state"}), "/etc/anchorwatch")
    assert config.credential.cert_file == "/etc/anchorwatch/device.pem"
    assert config.credential.key_file == "/keys/device.key"
    assert config.control.socket == "/etc/anchorwatch/state/control.sock"
    assert config.trust.site_dir == ""


def test_hub_alone_needs_no_provisioning_service():
    config = Config(
        {
            "device": {"device_id": "dev-7"},
            "hub": {"host": "hub.azure-devices.net"},
            "credential": {"kind": "symmetric_key", "key_file": "key"},
        }
    )
    assert config.dps.host == ""
    assert config.hub.host == "hub.azure-devices.net"


@pytest.mark.parametrize(
    "cloud, host, suffix",
    [
        ("global", "global.azure-devices-provisioning.net", ".azure-devices.net"),
        ("usgov", "global.azure-devices-provisioning.us", ".azure-devices.us"),
        ("china", "global.azure-devices-provisioning.cn", ".azure-devices.cn"),
    ],
)
def test_cloud_names_its_provisioning_service_and_hubs(cloud, host, suffix):
    config = Config(tree(device={"cloud": cloud}))
    assert config.dps.host == host
    assert tuple(config.hub.allowed_suffixes) == (suffix,)


def test_names_are_mapped_to_addresses_line_by_line():
    lines = {"hub.example:8883": ["127.0.0.2:8883", "[::1]:8883"]}
    config = Config(tree(resolve={**lines, "resolve_file": "moved.json"}), "/rig")
    assert config.resolve.lines == lines
    assert config.resolve.resolve_file == "/rig/moved.json"


REFUSED = [
    # the sentence, the sections put over a good configuration, words of the message
    ("a misspelt setting names the nearest", {"reverify": {"intervall_s": 60}}, "interval_s?"),
    ("a misspelt section names the nearest", {"reverfy": {}}, "did you mean reverify?"),
    ("a setting in the wrong section names its home", {"hub": {"interval_s": 60}}, "[reverify]"),
    ("a far-off setting lists the known ones", {"sas": {"x" * 200: 1}}, "lifetime_s, renew_at"),
    ("a text for a number", {"reverify": {"interval_s": "60"}}, "60; give a whole number from 5"),
    ("true is no number", {"mqtt": {"in_flight": True}}, "whole number from 1 to 1000"),
    ("a float is no whole number", {"mqtt": {"in_flight": 20.0}}, "whole number"),
    ("below the range", {"mqtt": {"keepalive_s": 4}}, "[mqtt] keepalive_s cannot be this: 4"),
    ("above the range", {"mqtt": {"keepalive_s": 1178}}, "from 5 to 1177"),
    ("not one of the choices", {"tls": {"hub": {"suites": "all"}}}, "one of: any, rsa, ecdsa"),
    ("a number that is no choice", {"tls": {"hub": {"max_fragment_bytes": 1000}}}, "512, 1024"),
    ("a number for yes or no", {"trust": {"system": 1}}, "true or false"),
    ("a share above one", {"sas": {"renew_at": 1.5}}, "from 0.1 to 0.95"),
    ("one word instead of a list", {"cloud": {"allow": "reverify"}}, "a list of"),
    ("a method nobody offers", {"cloud": {"allow": ["reboot"]}}, "any of: reverify"),
    ("an unknown endpoint", {"tls": {"broker": {}}}, "unknown section: [tls.broker]"),
    ("a host with a port", {"dps": {"host": "dps.example:8883"}}, "no port"),
    ("an address for a host", {"hub": {"host": "127.0.0.2"}}, "no address"),
    ("a host that ends in a dot", {"hub": {"host": "hub.example."}}, "no dot at its end"),
    ("a time server without a port", {"clock": {"sntp": "time.example"}}, "HOST:PORT"),
    ("a time server with a wrong port", {"clock": {"sntp": "time.example:70000"}}, "HOST:PORT"),
    ("a map to a name without port", {"resolve": {"a.b:1": ["127.0.0.1"]}}, "ADDRESS:PORT"),
    ("a map to nothing", {"resolve": {"a.b:1": []}}, "one or more"),
    ("a map from a name without port", {"resolve": {"a.b": ["127.0.0.1:1"]}}, "a.b"),
    ("a suffix without its dot", {"hub": {"allowed_suffixes": ["azure-devices.net"]}}, "its dot"),
    ("a suffix that is only a dot", {"hub": {"allowed_suffixes": ["."]}}, "its dot"),
    ("a mirror over another protocol", {"trust": {"mirrors": ["ftp://m.example/"]}}, "https://"),
    ("a mirror without a host", {"trust": {"mirrors": ["https:///b"]}}, "a host"),
    ("a module without its mode", {"mqtt": {"module_id": "m"}}, 'write mode = "module"'),
    ("the mode without its module", {"mqtt": {"mode": "module"}}, "module_id is missing"),
    ("a wildcard in an id", {"device": {"device_id": "a+b"}}, "[device] device_id"),
    ("a slash in an id scope", {"device": {"id_scope": "0ne/x"}}, "[device] id_scope"),
    ("a slash in a registration id", {"device": {"registration_id": "a/b"}}, "registration_id"),
    ("a star in a registration id", {"device": {"registration_id": "a*b"}}, "letters, digits"),
    ("a registration id that ends in a dot", {"device": {"registration_id": "a."}}, "end it"),
    ("65 characters for a common name", {"device": {"registration_id": "a" * 65}}, "at most 64"),
    ("a first wait longer than the longest", {"unauthorized": {"slow_most_s": 60}}, "at most 60"),
    ("all ECC with RSA suites", {"tls": {"hub": {"all_ecc": True, "suites": "rsa"}}}, "ecdsa"),
    ("no registration id", {"device": {"registration_id": ""}}, "registration_id is missing"),
    ("no id scope", {"device": {"id_scope": ""}}, "id_scope is missing"),
    ("no certificate", {"credential": {"cert_file": ""}}, "cert_file is missing"),
    ("no key", {"credential": {"key_file": ""}}, "key_file is missing"),
]


@pytest.mark.parametrize("sentence, sections, words", REFUSED, ids=[row[0] for row in REFUSED])
def test_refused_and_told_what_is_allowed(sentence, sections, words):
    assert words in refusal(tree(**sections))


def test_longest_ids_are_taken():
    assert Config(tree(device={"registration_id": "a" * 64})).device.device_id == "a" * 64
    symmetric = {"kind": "symmetric_key", "key_file": "key"}
    Config(tree(device={"registration_id": "a" * 128}, credential=symmetric))
    assert "128" in refusal(tree(device={"registration_id": "a" * 129}, credential=symmetric))


def test_nowhere_to_go_is_refused():
    bad = tree()
    del bad["dps"]
    assert "neither a provisioning service nor a hub" in refusal(bad)


@pytest.mark.parametrize("bad", [[], None, {"mqtt": 3}, {"tls": 3}, {"tls": {"hub": 3}}])
def test_tree_of_another_shape_is_refused(bad):
    with pytest.raises(ConfigError):
        Config(bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"credential": {"group_key": KEY}},
        {"credential": {"enrollment-group-key": KEY}},
        {"dps": {"Master_Key": KEY}},
        {"group_key_file": KEY},
        {"spare": [{"deep": {"enrollment_group_key": KEY}}]},
    ],
)
def test_master_key_of_a_group_is_refused_and_not_shown(bad):
    text = refusal({**tree(), **bad})
    assert "a group's master key must never be on a device" in text
    assert KEY not in text


@pytest.mark.parametrize(
    "bad",
    [
        {"credential": {"key_file": KEY}},
        {"credential": {"key_file": 7_654_321}},
        {"credential": {"key": KEY}},
        {"credential": {"kind": KEY}},
        {"trust": {"site_dir": "-----BEGIN PRIVATE KEY-----"}},
        {"mqtt": {"proxy": "http://user:" + KEY + "@proxy:3128"}},
        {"trust": {"mirrors": ["https://user:" + KEY + "@mirror/"]}},
    ],
)
def test_what_may_be_a_secret_is_never_shown(bad):
    text = refusal(tree(**bad))
    assert KEY not in text and "7654321" not in text and "BEGIN" not in text


def test_every_default_is_one_that_may_be_given():
    for section, rows in TABLE:
        for key, kind, default, limits, sentence in rows:
            assert sentence[-1] == ".", (section, key)
            if key not in ("HOST:PORT", "strict"):
                given = list(default) if isinstance(default, tuple) else default
                config_module._check(section, key, kind, given, limits)


def test_no_setting_stands_twice():
    names = [(section, row[0]) for section, rows in TABLE for row in rows]
    assert len(set(names)) == len(names)


def test_readme_holds_the_table_of_settings():
    """REWRITE=1 puts the table there; look at the difference before committing it."""
    readme = ROOT / "agent" / "README.md"
    text = readme.read_text(encoding="utf-8")
    found = re.search(r"<!-- configuration -->\n(.*)<!-- /configuration -->", text, re.DOTALL)
    assert found, "agent/README.md has no <!-- configuration --> ... <!-- /configuration -->"
    if os.environ.get("REWRITE") == "1":
        new = text[: found.start(1)] + documentation() + text[found.end(1) :]
        readme.write_text(new, encoding="utf-8")
    else:
        assert found.group(1) == documentation(), "run it with REWRITE=1, then look at the diff"


TYPES = {"integer": "int", "share": "float", "true/false": "bool", "list": "Sequence[str]"}


def stub():
    """The sections as types, for mypy: printed from the table, since a board has no typing."""
    lines = ["# Printed by tests/core/test_config.py with REWRITE=1 from the table of settings.py."]
    lines += ["from collections.abc import Sequence", "from typing import Any"]
    attributes = []
    for section, rows in TABLE:
        name = section.partition(".")[0].title()
        lines += ["", "class %s:" % name]
        for key, kind, _, limits, _ in rows:
            default_type = "int" if kind == "choice" and type(limits[0]) is int else "str"
            line = "%s: %s" % (key, TYPES.get(kind, default_type))
            lines.append("    " + ("lines: dict[str, list[str]]" if kind == "lines" else line))
        if name == "Tls":
            lines += ["", "class Endpoints:"]
            lines += ["    %s: Tls" % endpoint for endpoint in ENDPOINTS]
        attributes.append("    %s: %s" % (name.lower(), "Endpoints" if name == "Tls" else name))
    lines += ["", "class Config:", *attributes]
    lines.append("    def __init__(self, tree: dict[str, Any], folder: str = ...) -> None: ...")
    return "\n".join(lines) + "\n"


def test_type_checker_knows_every_setting():
    file = ROOT / "agent" / "anchorwatch" / "config.pyi"
    if os.environ.get("REWRITE") == "1":
        file.write_text(stub(), encoding="utf-8")
    assert file.read_text(encoding="utf-8") == stub(), "run it with REWRITE=1"


def test_sample_of_the_gateway_is_a_good_configuration():
    try:
        import tomllib
    except ImportError:
        import tomli as tomllib
    text = (ROOT / "ports" / "linux-gateway" / "anchorwatch.toml").read_text(encoding="utf-8")
    config = Config(tomllib.loads(text), "/etc/anchorwatch")
    assert config.device.registration_id == "gateway-0001"
    assert config.control.socket == "/run/anchorwatch/control.sock"
    switched_on = re.sub(r"^# ([a-z_]+ = )", r"\1", text, flags=re.MULTILINE)
    assert switched_on != text
    Config(tomllib.loads(switched_on), "/etc/anchorwatch")
