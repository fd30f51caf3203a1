"""The table of counts, for the end of a test run and for the README.

Rule: a row is what one survey counted; nothing is rounded or left out. `drawn` is how many cuts had
more images than were tried, ordered and any-subset apart: 0 is every image that there is.
"""

HEAD = ("story", "cuts", "images ordered", "any-subset", "drawn", "second cuts", "second images",
        "boots", "unreadable", "lost", "wrong")
ROWS = []


def row(survey):
    """What a survey counted."""
    s = survey
    return (s.story.name, s.cuts, s.ordered, s.subsets, s.drawn, s.second_cuts, s.second_images,
            s.boots, s.unreadable, s.lost, s.wrong)


def lines(rows):
    """The rows as a Markdown table, with their sum."""
    sums = [sum(row[column] for row in rows) for column in range(1, len(HEAD))]
    told = [HEAD, tuple("---" for _ in HEAD), *rows, ("all", *sums)]
    return ["| %s |" % " | ".join(str(cell) for cell in line) for line in told]
