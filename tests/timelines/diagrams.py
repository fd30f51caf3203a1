"""The state diagrams of agent/README.md, printed from the tables.

python tests/timelines/diagrams.py    writes them back; review the diff

Rule: a diagram stands between `<!-- NAME -->` and `<!-- /NAME -->`; what is around it is people's.
"""

import pathlib
import sys

from anchorwatch.core.lifecycle import CONNECTION, diagram

PAGE = pathlib.Path(__file__).parents[2] / "agent" / "README.md"
DIAGRAMS = {"connection": CONNECTION}


def drawn(text):
    """`text` with every diagram as its table prints it now; ValueError without the markers."""
    for name, table in DIAGRAMS.items():
        start, end = "<!-- %s -->" % name, "<!-- /%s -->" % name
        before, found, rest = text.partition(start)
        inner, closed, after = rest.partition(end)
        if not found or not closed or start in after:
            raise ValueError("%s needs %s and %s, once each" % (PAGE.name, start, end))
        text = "%s%s\n```mermaid\n%s\n```\n%s%s" % (before, start, diagram(table), end, after)
    return text


def main():
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
