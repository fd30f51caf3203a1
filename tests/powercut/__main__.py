"""`python -m tests.powercut [full] [STORY ...]` prints the table of the power cuts.

Rule: a story is chosen by the beginning of its name; without one, all are counted.
"""

import sys
import time

from tests.powercut import agent_stories, recipes, roll_stories, stories, survey, table
from tests.powercut.roll_checks import ROLL, ROLL_FULL, RollSurvey


def main(arguments):
    """The exit code: 1 when a story of ours lost something or a naive one was not caught."""
    full = "full" in arguments or survey.full()
    names = tuple(word for word in arguments if word != "full") or ("",)
    store = survey.STORE_FULL if full else survey.STORE
    agent = survey.AGENT_FULL if full else survey.AGENT
    ours = _counted((*stories.STORIES, *recipes.GOOD), names, store)
    ours += _counted(agent_stories.STORIES, names, agent)
    ours += _counted(roll_stories.STORIES, names, ROLL_FULL if full else ROLL, RollSurvey)
    naive = _counted([story for story, _ in recipes.NAIVE], names, store)
    for title, surveys in (("What the agent does", ours), ("What it must not do", naive)):
        print("\n".join(["", "%s (seed %d):" % (title, survey.SEED), "",
                         *table.lines([table.row(one) for one in surveys])]))
    faults = [fault for one in ours for fault in one.faults]
    print("\n".join(["", *faults]))
    return 1 if faults or [one for one in naive if not one.faults] else 0


def _counted(found, names, effort, kind=survey.Survey):
    return [_told(kind(story, effort)) for story in found if story.name.startswith(names)]


def _told(one):
    """What is done so far goes to stderr: in full, a story takes many minutes."""
    began = time.monotonic()
    one.run()
    line = "| %s | in %d s" % (" | ".join(map(str, table.row(one))), time.monotonic() - began)
    print("\n".join([line, *one.faults]), file=sys.stderr, flush=True)
    return one


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
