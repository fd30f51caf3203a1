"""`python -m tests.powercut` prints the table of the power cuts; `... full` counts in full."""

import sys

from tests.powercut import agent_stories, recipes, stories, survey, table


def main(arguments):
    """The exit code: 1 when a story of ours lost something or a naive one was not caught."""
    full = "full" in arguments or survey.full()
    store = survey.STORE_FULL if full else survey.STORE
    agent = survey.AGENT_FULL if full else survey.AGENT
    ours = [survey.Survey(story, store).run() for story in (*stories.STORIES, *recipes.GOOD)]
    ours += [survey.Survey(story, agent).run() for story in agent_stories.STORIES]
    naive = [survey.Survey(story, store).run() for story, _ in recipes.NAIVE]
    for title, surveys in (("What the agent does", ours), ("What it must not do", naive)):
        print("\n".join(["", "%s (seed %d):" % (title, survey.SEED), "",
                         *table.lines([table.row(one) for one in surveys])]))
    faults = [fault for one in ours for fault in one.faults]
    print("\n".join(["", *faults]))
    return 1 if faults or [one for one in naive if not one.faults] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
