"""The cost of a handshake in the report: the picture, one table by chain, one a column by length.

Rule: a share is of the RSA chain with the same client certificate, unless it says that both sides
were RSA; every text is escaped.
"""

import html

from .handshake import COLUMNS, FRAGMENTS, scaled, titled
from .handshakepicture import CHAIN_NAMES, CLIENT_NAMES, picture

REFERENCE = "rsa"
ECC_CLIENT, RSA_CLIENT = "p256", "rsa"


def section(made: dict) -> str:
    """What the report shows instead of a table of figures."""
    cells = made["cells"]
    hows = "".join(
        f"<li>{html.escape(title)}: {html.escape(_how(made, title, how))}</li>"
        for title, _, how in COLUMNS.values()
    )
    tables = "".join(_by_length(cells, key) for key in COLUMNS)
    return f"{picture(cells)}{_by_chain(cells)}{_both_ecc(cells)}<ul>{hows}</ul>{tables}"


def share(cells: list[dict], cell: dict, key: str, client: str = "") -> float | None:
    """How much more than the RSA chain, in percent; None where there is nothing to compare.

    client  whose certificate the other shows; "": the same one
    """
    wanted = (REFERENCE, client or cell["client"], cell["fragment"])
    for other in cells:
        found = (other["chain"], other["client"], other["fragment"])
        if found == wanted and other is not cell and other[key] and cell[key] is not None:
            return 100 * (cell[key] / other[key] - 1)
    return None


def _how(made: dict, title: str, how: str) -> str:
    said = [figure["how"] for name, figure in made["figures"].items() if name.startswith(title)]
    return said[0] if said else how


def _by_chain(cells: list[dict]) -> str:
    head = ["client certificate", "server's chain"]
    head += [titled(key) for key in COLUMNS]
    rows = []
    for client in CLIENT_NAMES:
        for cell in cells:
            if cell["client"] == client and not cell["fragment"]:
                values = [_with_share(cells, cell, key) for key in COLUMNS]
                rows.append([CLIENT_NAMES[client], CHAIN_NAMES[cell["chain"]], *values])
    return _table(head, rows)


def _both_ecc(cells: list[dict]) -> str:
    """What changes for a device that leaves RSA together with its server."""
    rows = []
    for cell in cells:
        if cell["client"] == ECC_CLIENT and cell["chain"] != REFERENCE and not cell["fragment"]:
            shares = [share(cells, cell, key, RSA_CLIENT) for key in COLUMNS]
            texts = ["–" if one is None else f"{round(one):+d} %" for one in shares]
            rows.append(["both ECC, against both RSA", CHAIN_NAMES[cell["chain"]], *texts])
    return _table(["", "server's chain", *(titled(key) for key in COLUMNS)], rows) if rows else ""


def _with_share(cells: list[dict], cell: dict, key: str) -> str:
    more = share(cells, cell, key)
    return _shown(cell, key) + ("" if more is None else f" ({round(more):+d} %)")


def _by_length(cells: list[dict], key: str) -> str:
    head = ["client certificate", "server's chain", "off", *(str(size) for size in FRAGMENTS[1:])]
    rows: dict[tuple, list[str]] = {}
    for cell in cells:
        names = (CLIENT_NAMES[cell["client"]], CHAIN_NAMES[cell["chain"]])
        rows.setdefault(names, [*names]).append(_shown(cell, key))
    said = html.escape(f"{titled(key)} by fragment length")
    return f"<details><summary>{said}</summary>{_table(head, list(rows.values()))}</details>"


def _shown(cell: dict, key: str) -> str:
    value = scaled(cell[key], COLUMNS[key][1])
    return "–" if value is None else f"{value:g}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    def row(tag: str, texts: list[str]) -> str:
        return "<tr>%s</tr>" % "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in texts)

    body = "".join(row("td", texts) for texts in rows)
    return f"<table class=cells>{row('th', head)}{body}</table>"
