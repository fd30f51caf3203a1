"""`python -m tests.powercut` prints the table of the power cuts; `... full` counts in full."""

import sys

from tests.powercut import recipes, stories, survey, table


def main(arguments):
    """The exit code: 1 when a story of ours lost something or a naive one was not caught."""
    effort = survey.FULL if "full" in arguments else survey.effort()
    ours = [survey.Survey(story, effort).run() for story in (*stories.STORIES, *recipes.GOOD)]
    naive = [survey.Survey(story, effort).run() for story, _ in recipes.NAIVE]
    for title, surveys in (("What the agent does", ours), ("What it must not do", naive)):
        print("\n".join(["", "%s (seed %d):" % (title, effort.seed), "",
                         *table.lines([table.row(one) for one in surveys])]))
    faults = [fault for one in ours for fault in one.faults]
    print("\n".join(["", *faults]))
    return 1 if faults or [one for one in naive if not one.faults] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
