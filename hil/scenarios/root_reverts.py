"""The hub's chain goes back to the root it had, and the device goes back with it.

A migration that is undone is the same event to the device: nothing was burnt on the way.
"""

from .seen import moved_without_a_gap


def play(cloud, device):
    moved_without_a_gap(cloud, device, "baltimore-rsa", "baltimore")
