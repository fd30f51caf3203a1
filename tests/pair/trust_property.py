"""Plays a device by chance and holds it against R1 to R10; a seed plays the same again.

    PYTHONPATH=agent:. python -m tests.pair.trust_property SEED [DEEDS]

Rule: after every deed but those that are still to be shortened away, the device must come back once
the trouble is over: each server presents a root that is offered, in reserve, or in the newest
bundle of the mirror.
"""

import sys
import traceback

from tests.pair.bundles import MIRROR, anchor, bundle, hard
from tests.pair.cloud import DAY, DPS, HUB, MINUTE, SECOND
from tests.pair.trust_deeds import VENDOR, World
from tests.pair.trust_rules import Broken, in_scope, names

BACK_MS = 2 * DAY
DEEDS = 60


class Failure(Exception):
    """A seed, how many deeds it takes, and what broke."""


def play(seed: int, deeds: int = DEEDS) -> World:
    """A world after so many deeds, and the end of its trouble."""
    world = World(seed)
    while len(world.log) < deeds:
        world.deed()
    world.came_back_ms = came_back(world)
    return world


def came_back(world: World) -> int:
    """How long the device took once the trouble was over. Raises Broken when it stays away."""
    world.calm()
    healed = world.rand.random() < 0.4
    if healed:
        signed_anew(world)
    else:
        world.cloud.mirrors = {}
    for host in (HUB, SECOND, DPS):
        roots = reachable(world, "dps" if host == DPS else "hub", healed)
        world.genuine[host] = world._end(world.rand.choice(roots))
    world._present()
    world.pair.restart()
    began_ms = world.cloud.now_ms
    pair = world.pair
    try:
        world.cloud.run_until(lambda: pair.state == "online", BACK_MS)
    except AssertionError as error:
        ends = {host: end.root for host, end in world.genuine.items()}
        raise Broken("liveness: %s; presented %s" % (error, ends)) from error
    return world.cloud.now_ms - began_ms


def signed_anew(world: World) -> None:
    """The mirror has a newer bundle, with roots that the device may never have heard of."""
    world.version += 1
    world.newest = world.cloud.mirrors[MIRROR] = bundle(
        world.version, [anchor(root) for root in (*VENDOR, "u1")],
        issued_s=world.cloud.utc_s(world.cloud.now_ms),
    )  # fmt: skip


def reachable(world: World, endpoint: str, healed: bool) -> list[str]:
    """Roots by which an endpoint must be reached: of the mirror's bundle, or those that are
    offered or in reserve; no bundle that the device knows of distrusts or limits them."""
    trust = world.pair.watch.trust
    known = [] if healed else list(world.pair.watch.commit.contents.values())
    rows = [row for content in known for row in content["distrust"]]
    rows += [dict(hard(row), of="") if isinstance(row, str) else row
             for row in trust.layer("site")["distrust"]]  # fmt: skip
    host = world.pair.host(endpoint)
    there = [*VENDOR, "u1"] if healed else unlimited(world, endpoint, known)
    undisputed = [root for root in there if not [row for row in rows if names(row, root)]]
    # R1: where everything is disputed or limited by what is still to come, what is in force is
    # enough, and no bundle may take it away
    offered = trust.offered(endpoint, host)
    free = [root for root in offered if root not in trust.anchors.limits(endpoint, "", offered)]
    return undisputed or [root for root in free if root in there] or free


def unlimited(world: World, endpoint: str, known: list[dict]) -> list[str]:
    """Offered or in reserve, and good for every leaf of this endpoint by every bundle known."""
    trust, host = world.pair.watch.trust, world.pair.host(endpoint)
    there = trust.offered(endpoint, host) + trust.reserve(endpoint, host)
    limited = set(trust.anchors.limits(endpoint, "", there))
    for entry in [entry for content in known for entry in content["anchors"]]:
        if entry["leaf_not_before_max"] is not None or not in_scope(entry, endpoint, host):
            limited.add(entry["sha256"])
    return [root for root in there if root not in limited]


def shortest(seed: int, deeds: int) -> tuple[int, str]:
    """The fewest deeds of a seed that still break something, and what they break."""
    for fewer in range(deeds + 1):
        try:
            play(seed, fewer)
        except Exception as error:  # whatever it is, it is what we look for
            return fewer, "%s: %s" % (type(error).__name__, error)
    return deeds, "not again"


def check(seed: int) -> World:
    """Play a seed; Failure says how to play what broke again."""
    try:
        return play(seed)
    except Exception as error:
        deeds, told = shortest(seed, DEEDS)
        again = "python -m tests.pair.trust_property %d %d" % (seed, deeds)
        raise Failure("%s\nplay it again: %s" % (told, again)) from error


def main(words: list[str]) -> int:
    """Play one seed and print its deeds."""
    seed = int(words[0])
    deeds = int(words[1]) if len(words) > 1 else DEEDS
    world = World(seed)
    try:
        while len(world.log) < deeds:
            world.deed()
        print("\n".join(world.log))
        print("back in %d ms" % came_back(world))
    except Exception:
        print("\n".join(world.log))
        told = [one for one in world.pair.told if one[1] not in ("state", "reverify", "desired")]
        print("\n".join([("%d %s %s" % one)[:180] for one in told[-20:]]))
        traceback.print_exc()
        return 1
    print("%d steps in %d min" % (world.pair.steps, world.cloud.now_ms // MINUTE))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
