"""The picture of a run: one lane each for session, anchor, second looks, faults and messages.

Rule: pure drawing. Colours are classes, so one drawing serves light and dark, page and file.
"""

from html import escape

from .story import Act, Span, Story

WIDTH, LEFT, RIGHT = 1200, 132, 16
HEAD, GAP, LANE, DOTS, CHART, AXIS, KEY_LINE = 58, 14, 30, 24, 84, 34, 20
LETTER, SMALL = 6.0, 6.0  # a letter's width, on average: in a bar, under a number
STEPS = 300
LANES = (
    # lane         what its name says                                height
    ("session",    "What the device is doing about its hub session", LANE),
    ("anchor",     "Root certificate the live session stands on",    LANE),
    ("looks",      "Second handshakes beside the live session",      DOTS),
    ("fault",      "Fault class, as the agent's status names it",    LANE),
    ("messages",   "Sent and not yet at the hub; square roots",           CHART),
)  # fmt: skip
NAMES = {
    "session": "Session",
    "anchor": "Anchor in use",
    "looks": "Second looks",
    "fault": "Fault class",
    "messages": "In flight",
}
SESSION_KEY = (
    ("bar online", "session up"),
    ("bar moving", "moving to the new link"),
    ("bar joining", "dialing and joining"),
    ("bar at-dps", "registering at DPS"),
    ("bar waiting", "waiting to try again"),
)
LOOKS_KEY = (
    ("dot look", "second handshake, nothing to do"),
    ("dot swap", "the session moves"),
    ("dot gap", "no root here for what it saw"),
)
SIZES = {"look": 4, "swap": 7, "gap": 6}


class Drawing:
    """svg(story) in pieces; `scale` is pixels a millisecond."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.scale = (WIDTH - LEFT - RIGHT) / max(1, story.end_ms)
        self.tops: dict[str, int] = {}
        top = HEAD
        for name, _, height in LANES:
            self.tops[name] = top
            top += height + GAP
        self.bottom = top - GAP
        self.height = self.bottom + AXIS + 3 * KEY_LINE

    def x(self, t_ms: int) -> float:
        return LEFT + t_ms * self.scale

    def pieces(self) -> list[str]:
        """Everything between <svg> and </svg>, back to front."""
        out = []
        for number, act in enumerate(self.story.acts()):
            out += self._act(act, number)
        for name, told, height in LANES:
            out.append(self._name(name, told, height))
        for name, spans in self._lanes().items():
            out += [self._bar(span, self.tops[name], LANE) for span in spans]
        return out + self._looks() + self._messages() + self._axis() + self._keys()

    def _lanes(self) -> dict[str, list[Span]]:
        story = self.story
        return {"session": story.sessions(), "anchor": story.anchors(), "fault": story.faults()}

    def _act(self, act: Act, number: int) -> list[str]:
        left, right = self.x(act.start_ms), self.x(act.end_ms)
        kind = "act odd" if number % 2 else "act"
        reached = "" if act.result.get("reached", not act.failure) else " failed"
        shown = _lines(act.short, int((right - left - 8) / SMALL))
        words = [
            f'<text class="title" x="{left + 5:.1f}" y="{30 + 13 * i}">{escape(line)}</text>'
            for i, line in enumerate(shown[:2])
        ]
        head = (
            f'<g class="{kind}{reached}"><title>{act.number}. {escape(act.title)}</title>'
            f'<rect x="{left:.1f}" y="0" width="{right - left:.1f}" height="{self.bottom}"/>'
            f'<text class="number" x="{left + 5:.1f}" y="15">{act.number}</text>'
        )
        line = f'<line x1="{left:.1f}" x2="{left:.1f}" y1="0" y2="{self.bottom}"/></g>'
        return [head, *words, line]

    def _name(self, name: str, told: str, height: int) -> str:
        middle = self.tops[name] + height / 2 + 4
        return (
            f'<g class="name"><title>{escape(told)}</title>'
            f'<text x="{LEFT - 12}" y="{middle:.1f}">{NAMES[name]}</text></g>'
        )

    def _bar(self, span: Span, top: int, height: int) -> str:
        left = self.x(span.start_ms)
        width = max(1.2, self.x(span.end_ms) - left)
        label = _fitting(span.label, int((width - 8) / LETTER))
        text = (
            f'<text x="{left + width / 2:.1f}" y="{top + height / 2 + 4:.1f}">'
            f"{escape(label)}</text>"
        )
        return (
            f'<g class="bar {span.kind}"><title>{escape(_timed(span))}</title>'
            f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{height}" rx="2"/>'
            f"{text if label else ''}</g>"
        )

    def _looks(self) -> list[str]:
        top = self.tops["looks"] + DOTS / 2
        return [
            f'<g class="dot {moment.kind}"><title>{escape(_timed(moment))}</title>'
            f'<circle cx="{self.x(moment.start_ms):.1f}" cy="{top}" r="{SIZES[moment.kind]}"/></g>'
            for moment in sorted(self.story.looks(), key=lambda m: SIZES[m.kind])
        ]

    def _messages(self) -> list[str]:
        """A stepped area; a scale with a power lets a handful and hundreds both be seen."""
        top, step_ms = self.tops["messages"], max(1, self.story.end_ms // STEPS)
        peaks = self.story.in_flight(step_ms)
        most = max([n for _, n in peaks], default=0) or 1
        points, bars = [f"{self.x(0):.1f},{top + CHART}"], []
        for t_ms, n in peaks:
            y = top + CHART - (CHART - 12) * (n / most) ** 0.5
            left, right = self.x(t_ms), min(self.x(t_ms + step_ms), WIDTH - RIGHT)
            points += [f"{left:.1f},{y:.1f}", f"{right:.1f},{y:.1f}"]
            told = f"{n} in flight at {t_ms / 1000:.1f} s"
            bars.append(
                f'<rect class="hit" x="{left:.1f}" y="{top}" width="{right - left:.1f}" '
                f'height="{CHART}"><title>{told}</title></rect>'
            )
        points.append(f"{WIDTH - RIGHT},{top + CHART}")
        return [
            f'<polygon class="flow" points="{" ".join(points)}"/>', *_rules(top, most), *bars
        ]  # fmt: skip

    def _axis(self) -> list[str]:
        fitting = [s for s in (1, 2, 5, 10, 20, 60, 600) if self.story.end_ms / s <= 16_000]
        every_s = fitting[0] if fitting else 3_600
        y, right = self.bottom, WIDTH - RIGHT
        out = [f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>']
        for t_s in range(0, self.story.end_ms // 1000 + 1, every_s):
            x = self.x(1000 * t_s)
            out.append(f'<text class="tick" x="{x:.1f}" y="{self.bottom + 17}">{t_s} s</text>')
        return out


    def _keys(self) -> list[str]:
        """What the colours mean: a line each for session, anchors and looks."""
        anchors = {span.label: "bar " + span.kind for span in self.story.anchors()}
        lines = (SESSION_KEY, [(kind, label) for label, kind in anchors.items()], LOOKS_KEY)
        out = []
        for number, entries in enumerate(lines):
            x, y = float(LEFT), self.bottom + AXIS + KEY_LINE * number
            for kind, told in entries:
                out.append(_key(kind, told, x, y))
                x += 40 + LETTER * len(told)
        return out


def _key(kind: str, told: str, x: float, y: int) -> str:
    mark = f'<circle cx="{x + 6:.0f}" cy="{y + 6}" r="5"/>'
    if kind.startswith("bar"):
        mark = f'<rect x="{x:.0f}" y="{y}" width="12" height="12" rx="2"/>'
    shown = f'<text x="{x + 18:.0f}" y="{y + 10}">{escape(told)}</text>'
    return f'<g class="key {kind.split()[1]}">{mark}{shown}</g>'


def _rules(top: int, most: int) -> list[str]:
    """A line with its number at the peak, and one at 20: the agent's window of messages."""
    out = []
    for n in [most, *([20] if most > 60 else [])]:
        y = top + CHART - (CHART - 12) * (n / most) ** 0.5
        out.append(f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
                   f'y2="{y:.1f}"/><text class="level" x="{LEFT - 12}" y="{y + 4:.1f}">{n}</text>')
    return out  # fmt: skip


def _timed(span: Span) -> str:
    start_s, lasted_s = span.start_ms / 1000, (span.end_ms - span.start_ms) / 1000
    lasted = f", for {lasted_s:.1f} s" if span.end_ms > span.start_ms else ""
    return f"{span.label} (at {start_s:.1f} s{lasted})"


def _fitting(label: str, letters: int) -> str:
    """As many of its first words as there is room for."""
    words = label.split()
    while words and len(" ".join(words)) > letters:
        words.pop()
    return " ".join(words).rstrip(":")


def _lines(text: str, letters: int) -> list[str]:
    """Broken at blanks into lines of at most so many letters; a longer word is cut short."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= letters or not lines[-1]:
            lines[-1] = longer if len(longer) <= letters else longer[: max(1, letters - 1)] + "…"
        else:
            lines.append(word)
    return lines


def svg(story: Story, style: str = "") -> str:
    """The drawing as one element; with a style of its own it stands alone as a file."""
    drawing = Drawing(story)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {drawing.height}" '
        'role="img" aria-label="Session, anchor, faults and messages over the acts">'
    )
    sheet = f'<style>{style}</style><rect class="ground" width="100%" height="100%"/>'
    return "".join([head, sheet if style else "", *drawing.pieces(), "</svg>\n"])
