"""The hub's chain moves to another root while the device is connected, and it follows by itself.

A second handshake beside the live session sees the new root, another one confirms it, and the
session moves to the new link: the hub sees the old one taken over, never lost.
"""

from .seen import moved_without_a_gap


def play(cloud, device):
    moved_without_a_gap(cloud, device, "g2-rsa", "g2")
