"""A cloud whose mirror has something to attack, for those who meet it: the stock client, the agent.

Rule: before a test there are two releases at least; after it no attack goes on.
"""

from hil.cloud.remote import RemoteCloud

QUICK = ("--chain", "g3-ecc", "--factory", "g3,baltimore", "--ports", "free")


def started(folder):
    """For a fixture of a module: the cloud."""
    with RemoteCloud(folder, *QUICK) as cloud:
        yield cloud


def at_peace(cloud):
    """For a fixture of a test: the same."""
    while cloud.mirror()["releases"] < 2:
        cloud.publish({"g3": "active", "baltimore": "active"})
    yield cloud
    cloud.attack()
