"""The eleven acts in their order, and the settings that make them short.

Rule: a title and a scenario each; a scenario's docstring is what its act claims. The settings are
ordinary ones: a demo is a configuration of the agent, not a mode.
"""

from hil.scenarios import (
    address_changes,
    certificate_replaced,
    certificate_rolls,
    first_boot,
    hub_and_dps_down,
    hub_moves,
    hub_reverts_after_commit,
    root_changes,
    root_reverts,
    root_unknown,
    stranded_heals_itself,
)

ACTS = (
    # scenario                  its title                            in the picture
    (first_boot,                "First boot through DPS",            "First boot"),
    (root_changes,              "Baltimore to G2 while connected",   "Root to G2"),
    (root_reverts,              "Back to Baltimore",                 "Root back"),
    (root_unknown,              "A root the device lacks",           "Root lacking"),
    (certificate_replaced,      "New device certificate",            "New certificate"),
    (address_changes,           "The hub's address changes",         "New address"),
    (hub_and_dps_down,          "Hub dead, DPS throttled",           "Hub dead, DPS throttled"),
    (hub_moves,                 "The device moves to another hub",   "Another hub"),
    (stranded_heals_itself,     "Stranded, healed by a bundle",      "Stranded, healed"),
    (hub_reverts_after_commit,  "Back to a retired root",            "Retired root back"),
    (certificate_rolls,         "A new certificate by EST",          "Renewed by EST"),
)  # fmt: skip

SETTINGS = {
    "dps": {"spread_s": 1},
    "mqtt": {"keepalive_s": 5},
    "reverify": {"interval_s": 5, "confirm_s": 1, "swap_every_s": 0, "address_gone_s": 4},
    "unauthorized": {"patience_s": 3},
    "fleet": {"devices": 1, "connects_per_s": 1},
    "boot": {"spread_s": 0},
}
# Who issues the device's next certificate; nothing is due while the acts are played.
ISSUER = {
    "credential": {"enrollment": "ca"},
    "identity": {"issuer": "est"},
    "est": {
        "host": "est.anchorwatch.example",
        "anchors_file": "../est/anchors.pem",
        "auth_file": "est.key",
    },
}
CLOUD = ("--chain", "baltimore-rsa", "--factory", "baltimore,g2")


def name_of(scenario) -> str:
    """hil.scenarios.first_boot -> first_boot"""
    return scenario.__name__.rpartition(".")[2]


def claim_of(scenario) -> str:
    """The docstring as one paragraph."""
    return " ".join(scenario.__doc__.split())
