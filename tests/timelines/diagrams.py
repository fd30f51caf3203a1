"""The state diagrams of agent/README.md and its rules of the root store, printed from the tables.

python tests/timelines/diagrams.py    writes them back; review the diff

Rule: what is printed stands between `<!-- NAME -->` and `<!-- /NAME -->`; the rest is people's.
"""

import pathlib
import sys

from anchorwatch.core.lifecycle import CONNECTION
from anchorwatch.core.rolls import ROLL
from anchorwatch.core.rules import RULES
from anchorwatch.core.stages import TRUST

PAGE = pathlib.Path(__file__).parents[2] / "agent" / "README.md"
DIAGRAMS = {"connection": CONNECTION, "bundle": TRUST, "roll": ROLL}


def diagram(table):
    """A table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for state, on, then, effect in table:
        lines.append("  %s --> %s: %s / %s" % (_id(state), _id(then), on, effect))
    return "\n".join(lines)


def _id(state):
    return state.replace(" ", "_")


def rules_table():
    """Every rule of the root store, one a row."""
    rows = ["| %s | %s |" % (name, sentence) for name, sentence in RULES]
    return "\n".join(["", "| rule | sentence |", "| --- | --- |"] + rows + [""])


def parts():
    """{marker: what stands there}."""
    printed = {n: "```mermaid\n%s\n```" % diagram(table) for n, table in DIAGRAMS.items()}
    return dict(printed, rules=rules_table())


def drawn(text):
    """`text` with every part as its table prints it now; ValueError without the markers."""
    for name, printed in parts().items():
        start, end = "<!-- %s -->" % name, "<!-- /%s -->" % name
        before, found, rest = text.partition(start)
        inner, closed, after = rest.partition(end)
        if not found or not closed or start in after:
            raise ValueError("%s needs %s and %s, once each" % (PAGE.name, start, end))
        text = "%s%s\n%s\n%s%s" % (before, start, printed, end, after)
    return text


def main():
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
