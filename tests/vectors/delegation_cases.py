"""Paths that a delegated role may sign for."""

from anchorwatch.pki.delegations import _delegated, matches


def covered(row, path):
    """Whether a role of this shape is asked for `path`."""
    role = {"name": "a", "keyids": [], "threshold": 1}
    role.update(row)
    return [found[0] for found in _delegated({"keys": {}, "roles": [role]}, path)] == ["a"]


def bin_of(bits, path):
    tree = {"keyids": [], "threshold": 1, "bit_length": bits, "name_prefix": "bin"}
    return _delegated({"keys": {}, "succinct_roles": tree}, path)[0][0]


def _bad(name):
    return ("raises", "MalformedMessage", "signed file with a wrong or missing '%s'" % name)


CASES = (
    ("a path is itself", matches, ("a/b.txt", "a/b.txt"), True),
    ("capitals are other letters", matches, ("a/b.txt", "a/B.txt"), False),
    ("a star is any text", matches, ("*.tgz", "foo-1.tgz"), True),
    ("a star is nothing", matches, ("foo*", "foo"), True),
    ("a star stops at a slash", matches, ("*.tgz", "a/b.tgz"), False),
    ("each part has its own star", matches, ("releases/*/*", "releases/x/y"), True),
    ("a path with a part more", matches, ("releases/*/*", "releases/x/y/z"), False),
    ("a path with a part less", matches, ("releases/*/*", "releases/x"), False),
    ("a question mark is one letter", matches, ("foo-?.tgz", "foo-1.tgz"), True),
    ("it is not two", matches, ("foo-?.tgz", "foo-12.tgz"), False),
    ("nor none", matches, ("foo-?.tgz", "foo-.tgz"), False),
    ("two stars go back as far as needed", matches, ("*a*b", "xaxaybb"), True),
    ("and not further", matches, ("*a*b", "xaxaybc"), False),
    ("many stars end", matches, ("*a" * 30, "a" * 500 + "b"), False),
    ("a star of the path is a letter", matches, ("a\\*", "a\\x"), True),
    ("brackets are letters", matches, ("[ab]", "a"), False),
    ("nothing fits nothing", matches, ("", ""), True),
    ("a role with a path", covered, ({"paths": ["x", "y*"]}, "yz"), True),
    ("a role with another", covered, ({"paths": ["x"]}, "yz"), False),
    ("a role by the hash of the path", covered, ({"path_hash_prefixes": ["ff", "2d7"]}, "x"),
     True),
    ("a role by another hash", covered, ({"path_hash_prefixes": ["ff"]}, "x"), False),
    ("a role with neither", covered, ({}, "x"), _bad("paths")),
    ("a role called like one above", covered, ({"name": "snapshot", "paths": ["*"]}, "x"),
     _bad("name")),
    ("one of two bins", bin_of, (1, "x"), "bin-0"),
    ("one of 256 bins", bin_of, (8, "x"), "bin-2d"),
    ("one of 512 bins", bin_of, (9, "x"), "bin-05a"),
    ("one of the most bins", bin_of, (32, "x"), "bin-2d711642"),
    ("more bins than a hash tells apart", bin_of, (33, "x"), _bad("bit_length")),
)  # fmt: skip
