"""The table of counts, for the end of a test run and for the README.

Rule: a row is what one survey counted; nothing is rounded or left out. `drawn` is how many cuts had
more images than were tried, ordered and any-subset apart: 0 is every image that there is. `second`
is cut while a start writes (in full each start that does; else one of each kind, and few of them),
`later` while the agent goes on after a start, on a sample of images. A start is tried (`boots`) on
images in which it could see a difference.
"""

HEAD = ("story", "cuts", "images ordered", "any-subset", "drawn", "starts that write",
        "second cuts", "second images", "second drawn", "later cuts", "later images", "later drawn",
        "boots", "unreadable", "lost", "wrong")
ROWS = []


def row(survey):
    """What a survey counted."""
    s = survey
    return (s.story.name, s.cuts, s.ordered, s.subsets, s.drawn, s.repairs, s.second_cuts,
            s.second_images, s.second_drawn, s.later_cuts, s.later_images, s.later_drawn, s.boots,
            s.unreadable, s.lost, s.wrong)


def lines(rows):
    """The rows as a Markdown table, with their sum."""
    sums = [sum(row[column] for row in rows) for column in range(1, len(HEAD))]
    told = [HEAD, tuple("---" for _ in HEAD), *rows, ("all", *sums)]
    return ["| %s |" % " | ".join(str(cell) for cell in line) for line in told]
