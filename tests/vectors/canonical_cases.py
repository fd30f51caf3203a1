"""The canonical form that signatures cover."""

from anchorwatch.errors import MalformedMessage
from anchorwatch.pki.canonical import canonical
from anchorwatch.wire.jsonread import parse


def _deep(levels):
    tree = 7
    for _ in range(levels):
        tree = [tree]
    return tree


def _bad(reason):
    return ("raises", MalformedMessage.__name__, "signed JSON " + reason)


CASES = (
    ("members are sorted and nothing is spaced", canonical, ({"b": [1, 2], "a": {"c": None}},),
     b'{"a":{"c":null},"b":[1,2]}'),
    ("capitals before small letters, then the rest", canonical, ({"b": 1, "B": 2, "\u00e4": 3,
     "": 4},), '{"":4,"B":2,"b":1,"\u00e4":3}'.encode()),
    ("the last plane sorts after the first", canonical, ({"\U0001f600": 1, "\uffee": 2},),
     '{"\uffee":2,"\U0001f600":1}'.encode()),
    ("only quote and backslash are escaped", canonical, ('a"b\\c/\n\x00\u20ac',),
     '"a\\"b\\\\c/\n\x00\u20ac"'.encode()),
    ("an escape in the text is gone", canonical, (parse(b'"\\u0061\\n"'),), b'"a\n"'),
    ("words and numbers", canonical, ([True, False, None, 0, -7, 10**20],),
     b"[true,false,null,0,-7,100000000000000000000]"),
    ("empty containers", canonical, ([[], {}],), b"[[],{}]"),
    ("minus zero is zero", canonical, (parse(b"-0"),), b"0"),
    ("a fraction", canonical, (0.5,), _bad("with a number that is not whole")),
    ("a whole number written as a fraction", canonical, (parse(b"1.0"),),
     _bad("with a number that is not whole")),
    ("bytes", canonical, (b"x",), _bad("with a number")),
    ("a member name that is a number", canonical, ({1: 2},), _bad("with a member name")),
    ("sixteen levels", canonical, (_deep(16),), b"[" * 16 + b"7" + b"]" * 16),
    ("seventeen levels", canonical, (_deep(17),), _bad("nested deeper than 16")),
)  # fmt: skip
