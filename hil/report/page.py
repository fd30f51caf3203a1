"""The page: a verdict, the picture, a table of the acts, and what happened in each.

Rule: everything is in the file; every text that came from a process is escaped.
"""

import json
from html import escape

from . import style
from .lanes import svg
from .sentences import Teller
from .story import Act, Story

COLUMNS = (
    # heading             key of the result       how it is shown
    ("Reached",           "reached",              lambda v: _yes(v)),
    ("Sent",              "sent",                 str),
    ("Delivered",         "delivered",            str),
    ("Lost",              "lost",                 lambda v: _zero(v)),
    ("Twice",             "duplicated",           str),
    ("Longest silence",   "longest_silence_ms",   lambda v: "%.1f s" % (v / 1000)),
)  # fmt: skip
TOTALS = ("sent", "delivered", "lost", "duplicated")
INTRODUCTION = """\
<p>One device, one emulated cloud, two real processes on one machine. The device sends {rate}
messages a second and answers direct methods all the while; meanwhile the cloud changes under it,
act by act. <b>Sent</b> is what the agent took from the application; <b>delivered</b> is what the
hub's own journal holds, counted by message id. Point at anything in the picture to read it.</p>
<p class="dim">An <i>anchor</i> is the root certificate that the device's trust in its hub stands
on. A <i>second look</i> is a full TLS handshake beside the live session: it shows whether the next
connection would succeed while there is still a working one. Only when it would not, or when
something that matters has changed, does the session move.</p>"""


def page(rows: list[dict]) -> str:
    """The whole HTML file for the rows of a timeline."""
    story = Story(rows)
    acts = story.acts()
    body = [
        "<h1>anchorwatch: %s</h1>" % escape(story.run.get("title", "a run")),
        '<p class="dim">%s</p>' % escape(story.run.get("at", "")),
        _verdict(story, acts),
        INTRODUCTION.format(rate=story.run.get("messages_per_s", "some")),
        '<div class="picture">%s</div>' % svg(story),
        "<h2>The acts</h2>",
        _table(story),
        "<h2>What happened</h2>",
        *_logs(story, acts),
    ]
    sheet = style.COLOURS + style.DRAWING + style.PAGE
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><title>anchorwatch: the run</title>'
        f"<style>{sheet}</style></head><body><main>{''.join(body)}</main></body></html>\n"
    )


def picture(rows: list[dict]) -> str:
    """The drawing alone, as an SVG file."""
    return svg(Story(rows), style.COLOURS + style.DRAWING)


def _verdict(story: Story, acts: list[Act]) -> str:
    results = story.result.get("acts", [])
    reached = len([act for act in results if act["reached"]])
    total = {name: sum(act[name] for act in results) for name in TOTALS}
    good = results and reached == len(results) and not total["lost"] and not story.stopped
    text = (
        f"{reached} of {len(results)} acts reached their state. {total['sent']} messages sent, "
        f"{total['delivered']} delivered, {total['lost']} lost, {total['duplicated']} twice."
    )
    if story.stopped:
        text += " The run was stopped: %s." % story.stopped
    return '<p class="verdict%s">%s</p>' % ("" if good else " bad", escape(text))


def _table(story: Story) -> str:
    lines = []
    for number, result in enumerate(story.result.get("acts", []), 1):
        title = story.title(result["name"])
        cells = "".join("<td>%s</td>" % show(result[key]) for _, key, show in COLUMNS)
        lines.append(f"<tr><td>{number}</td><td>{escape(title)}</td>{cells}</tr>")
    heads = "".join("<th>%s</th>" % heading for heading, _, _ in COLUMNS)
    return (
        '<div class="wide"><table><thead><tr><th></th><th>Act</th>%s</tr></thead>'
        "<tbody>%s</tbody></table></div>" % (heads, "".join(lines))
    )


def _yes(value: bool) -> str:
    return '<span class="%s">%s</span>' % (("yes", "yes") if value else ("no", "no"))


def _zero(value: int) -> str:
    return '<span class="no">%d</span>' % value if value else "0"


def _logs(story: Story, acts: list[Act]) -> list[str]:
    teller = Teller(story.root_name)
    told = [(row, teller.tell(row)) for row in story.rows]
    out = []
    for act in acts:
        lines = [
            _line(row, act.start_ms, sentence)
            for row, sentence in told
            if sentence and act.start_ms <= row["t_ms"] < act.end_ms
        ]
        out.append(f"<h3>{act.number}. {escape(act.title)}</h3><p>{escape(act.claim)}</p>")
        out.append('<ol class="log">%s</ol>' % "".join(lines))
        out.append(_failure(act))
    return out


def _line(row: dict, start_ms: int, sentence: str) -> str:
    who = row["who"]
    after_s = (row["t_ms"] - start_ms) / 1000
    return (
        f'<li class="{who}"><time>{after_s:.2f} s</time><b>{who}</b>'
        f"<span>{escape(sentence)}</span></li>"
    )


def _failure(act: Act) -> str:
    if not act.failure:
        return ""
    last = json.dumps(act.failure.get("last"), indent=1, sort_keys=True)
    waited = escape(act.failure["waited_for"])
    return f'<p class="no">Not reached: {waited}. Last seen:</p><pre>{escape(last)}</pre>'
