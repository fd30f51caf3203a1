"""Requests of a board's console and of its firmware: those of performers/orders.py, and bundles.

Rule: the words of the Linux agent's control socket, as far as a board has them. Source: contract
section 4; design section 12.
"""

from anchorwatch.performers.orders import CHECKS, imported, url_of

_IMPORT = "roots_import"
WORDS = tuple(sorted(list(CHECKS) + [_IMPORT]))


def arguments(do, given, layers):
    """The arguments of Asked(do); layers makes entries of PEM text.

    Raises  ConfigError: what is given is not what this request takes
            TrustError: PEM text that holds no root
    """
    return imported(given, {"url": _place}) if do == _IMPORT else CHECKS[do](given, layers)


def _place(url):
    """A folder is given as the URL that it has."""
    return url if url.startswith("file:/") else url_of(url)
