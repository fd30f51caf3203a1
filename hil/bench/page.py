"""The report of a bench: one self-contained page, a table or a picture for each of its files.

Rule: nothing is loaded; every text is escaped.
"""

import html

from . import handshakepage
from .devices import OURS, PAHO, SDK

STYLE = """
:root{color-scheme:light dark;--line:#8884;--bad:#c62828;--good:#2e7d32}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:right;
vertical-align:top;font-variant-numeric:tabular-nums}
th:first-child,td:first-child,td:last-child,th:last-child{text-align:left}
td:last-child{font-size:.85em;opacity:.8;max-width:26rem}
.missed td:nth-child(2){color:var(--bad);font-weight:700}
.held td:nth-child(2){color:var(--good);font-weight:700}
table.cells td:nth-child(-n+2),table.cells th:nth-child(-n+2){text-align:left}
table.cells td:last-child,table.cells th:last-child{text-align:right;font-size:1em;opacity:1}
p.dim{opacity:.75}svg{max-width:100%;height:auto}
"""
HEAD = ("figure", "anchorwatch", SDK, PAHO, "limit", "unit", "how it was measured")


def page(documents: list[dict]) -> str:
    """The whole file."""
    missed = [name for made in documents for name in made["missed"]]
    verdict = (
        "Every limit holds." if not missed else "Missed: %s." % html.escape("; ".join(missed))
    )
    body = "".join(_section(made) for made in documents)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'><title>anchorwatch: figures</title>"
        f"<style>{STYLE}</style><h1>anchorwatch: figures</h1><p>{verdict}</p>{body}</html>\n"
    )


def _section(made: dict) -> str:
    about = made["machine"]
    said = (
        f"{made['date']}, {made['took_s']:g} s; {about['cpus']} CPUs ({about['processor']}),"
        f" {about['system']}, Python {about['python']}, {about['openssl']}; load {about['load']}"
    )
    body = handshakepage.section(made) if "cells" in made else _table(made)
    return f"<h2>{html.escape(made['bench'])}</h2><p class=dim>{html.escape(said)}</p>{body}"


def _table(made: dict) -> str:
    head = "".join(f"<th>{html.escape(word)}</th>" for word in HEAD)
    rows = "".join(_row(name, made) for name in made["figures"])
    return f"<table><tr>{head}</tr>{rows}</table>"


def _row(name: str, made: dict) -> str:
    figure = made["figures"][name]
    judged = "" if figure["limit"] is None else "missed" if name in made["missed"] else "held"
    cells = [name, *(figure[key] for key in (OURS, SDK, PAHO, "limit", "unit", "how"))]
    shown = "".join("<td>%s</td>" % html.escape(_text(cell)) for cell in cells)
    return f"<tr class='{judged}'>{shown}</tr>"


def _text(cell: object) -> str:
    if cell is None:
        return "–"
    return f"{cell:g}" if isinstance(cell, float) else str(cell)
