"""The machine that has the session dies and the one after it has another root; and back again.

Nobody tells the device, which finds its session dead, returns by itself, and stands on the root of
the new machine. That is how a board with room for one session follows a migration and its revert.
"""

from .seen import fails_over, hub_of, under


def play(cloud, device):
    hub = hub_of(cloud, device)
    for chain, root in (("g2-rsa", "g2"), ("baltimore-rsa", "baltimore")):
        anchor = cloud.anchor(root)
        assert under(device.status()) != anchor
        fails_over(cloud, hub, chain)
        device.see(f"a session under {root}", lambda s, wanted=anchor: under(s) == wanted, 60)
