"""The cost of a handshake as one picture: a panel a column, bars by chain.

Rule: a file of its own that loads nothing; an empty cell is an empty place.
"""

import html

from .handshake import COLUMNS, FRAGMENTS, scaled, titled

CLIENT_NAMES = {
    "none": "no client certificate",
    "p256": "client P-256",
    "rsa": "client RSA-2048",
}
CHAIN_NAMES = {
    "rsa": "RSA (2048, 4096, 2048)",
    "g3": "ECC as G3 (P-384, P-384, P-256)",
    "p256": "P-256",
    "p384": "P-384",
}
STYLE = """
.cost{font:12px system-ui,sans-serif;--ink:#1b2430;--dim:#5a6675;--ground:#fff;--rule:#d8dfe7;
--rsa:#a3552a;--g3:#7a52c7;--p256:#0f7f76;--p384:#2d6aa8}
@media(prefers-color-scheme:dark){.cost{--ink:#e3e9f0;--dim:#98a5b4;--ground:#10161d;
--rule:#2d3947;--rsa:#b3623a;--g3:#8460cf;--p256:#178c82;--p384:#3a78b8}}
.cost .ground{fill:var(--ground)}.cost text{fill:var(--ink)}.cost .dim{fill:var(--dim)}
.cost .value{font-size:10px;text-anchor:middle}.cost .group{text-anchor:middle}
.cost .head{font-weight:600}.cost line{stroke:var(--rule)}
.cost .rsa{fill:var(--rsa)}.cost .g3{fill:var(--g3)}
.cost .p256{fill:var(--p256)}.cost .p384{fill:var(--p384)}
"""
WIDTH, PANEL_W, PANEL_H, TOP = 960, 460, 190, 44
_BARS, _SPACE, _GAP = 120, 38, 3


def picture(cells: list[dict]) -> str:
    """SVG."""
    panels = [_by_client(cells, key) for key in ("down", "up", "instructions", "heap")]
    panels += [_by_fragment(cells, "down"), _by_fragment(cells, "up")]
    rows = (len(panels) + 1) // 2
    drawn = "".join(
        f"<g transform='translate({10 + n % 2 * (PANEL_W + 20)},{TOP + n // 2 * PANEL_H})'>"
        f"{panel}</g>" for n, panel in enumerate(panels)
    )  # fmt: skip
    height = TOP + rows * PANEL_H
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' class='cost' viewBox='0 0 {WIDTH} {height}'"
        f" width='{WIDTH}' role='img' aria-label='what a handshake costs, by chain'>"
        f"<style>{STYLE}</style><rect class='ground' width='{WIDTH}' height='{height}'/>"
        f"{_legend(cells)}{drawn}</svg>\n"
    )


def chains(cells: list[dict]) -> list[str]:
    """Those that there are, in their order."""
    return list(dict.fromkeys(cell["chain"] for cell in cells))


def _legend(cells: list[dict]) -> str:
    parts, at = [], 10
    for chain in chains(cells):
        name = CHAIN_NAMES[chain]
        parts.append(f"<rect class='{chain}' x='{at}' y='12' width='12' height='12'/>"
                     f"<text x='{at + 17}' y='22'>{html.escape(name)}</text>")  # fmt: skip
        at += 40 + 7 * len(name)
    return "".join(parts) + f"<text class='dim' x='{at}' y='22'>server's root, issuer, leaf</text>"


def _by_client(cells: list[dict], key: str) -> str:
    unit = COLUMNS[key][1]
    groups = [
        (name, [(cell["chain"], scaled(cell[key], unit)) for cell in cells
                if cell["client"] == client and not cell["fragment"]])
        for client, name in CLIENT_NAMES.items()
    ]  # fmt: skip
    return _panel(titled(key), groups)


def _by_fragment(cells: list[dict], key: str) -> str:
    """What each length adds to the bytes, without a client certificate."""
    plain = [cell for cell in cells if cell["client"] == "none"]
    usual = {cell["chain"]: cell[key] for cell in plain if not cell["fragment"]}
    groups = [
        (str(size), [(cell["chain"], cell[key] - usual[cell["chain"]]) for cell in plain
                     if cell["fragment"] == size])
        for size in FRAGMENTS if size
    ]  # fmt: skip
    return _panel(f"{titled(key)} that a fragment length of … adds", groups)


def _panel(title: str, groups: list[tuple[str, list]]) -> str:
    groups = [(name, bars) for name, bars in groups if bars]
    values = [abs(value) for _, bars in groups for _, value in bars if value is not None]
    most = max(values, default=0) or 1
    ground = _SPACE + _BARS
    parts = [f"<text class='head' x='0' y='14'>{html.escape(title)}</text>",
             f"<line x1='0' x2='{PANEL_W - 20}' y1='{ground}' y2='{ground}'/>"]  # fmt: skip
    for number, (name, bars) in enumerate(groups):
        wide = (PANEL_W - 20) / len(groups)
        left = number * wide + 8
        parts.append(f"<text class='group dim' x='{left + wide / 2 - 8:.1f}' y='{ground + 16}'>"
                     f"{html.escape(name)}</text>")  # fmt: skip
        bar = (wide - 16) / len(bars)
        for place, (chain, value) in enumerate(bars):
            parts.append(_bar(chain, value, left + place * bar, bar - _GAP, most))
    return "".join(parts)


def _bar(chain: str, value: float | None, left: float, wide: float, most: float) -> str:
    if value is None:
        return ""
    tall = max(0.0, value) / most * (_BARS - 6)
    top = _SPACE + _BARS - tall
    return (
        f"<rect class='{chain}' x='{left:.1f}' y='{top:.1f}' width='{wide:.1f}'"
        f" height='{tall:.1f}'/><text class='value' x='{left + wide / 2:.1f}'"
        f" y='{top - 3:.1f}'>{value:g}</text>"
    )
