"""JSON, in and out: the same on both runtimes, whose own parsers are not."""

from anchorwatch.wire.jsonread import parse, parse_object
from anchorwatch.wire.jsonwrite import write


def _bad(reason):
    return ("raises", "MalformedMessage", "JSON: " + reason)


def _after_writing(tree):
    return parse(write(tree)) == tree


_TREE = {"b": [1, True, None, "\u00e4\"\\\n\U0001f600"], "a": {"": {}}, "c": [], "d": -7}

CASES = (
    ("an empty object", parse, (b"{}",), {}),
    ("spaces of four kinds", parse, (b" \t\r\n[ 1 , 2 ]\n",), [1, 2]),
    ("every kind of value", parse, (b'{"a":[true,false,null,-0,12,"x"],"b":{"c":{}}}',),
     {"a": [True, False, None, 0, 12, "x"], "b": {"c": {}}}),
    ("a scalar alone", parse, (b'"x"',), "x"),
    ("a fraction", parse, (b"-1.5e1",), -15.0),
    ("every escape", parse, (b'"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDE00"',),
     "\"\\/\b\f\n\r\t\u00e4\U0001f600"),
    ("UTF-8 as it is", parse, ("\"\u00e4\U0001f600\"".encode(),), "\u00e4\U0001f600"),
    ("a number of many digits is exact", parse, (b"12345678901234567890123",),
     12345678901234567890123),
    ("sixteen levels", parse, (b"[" * 16 + b"]" * 16,), [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]),
    ("seventeen levels", parse, (b"[" * 17 + b"]" * 17,), _bad("nested deeper than 16")),
    ("a bomb of brackets", parse, (b"[" * 100000,), _bad("nested deeper than 16")),
    ("a bomb of objects", parse, (b'{"a":' * 20000,), _bad("nested deeper than 16")),
    ("longer than allowed", parse, (b"[" + b" " * 100 + b"]", 64),
     ("raises", "MalformedMessage", "JSON longer than 64 bytes")),
    ("nothing", parse, (b"",), _bad("no value")),
    ("a list without commas", parse, (b"[1 2]",), _bad("no comma and no end")),
    ("a comma before the end", parse, (b"[1,]",), _bad("no value")),
    ("a comma before the end of an object", parse, (b'{"a":1,}',), _bad("member without a name")),
    ("an object without colons", parse, (b'{"a" 1}',), _bad("member without a value")),
    ("a name that is not text", parse, (b"{1:2}",), _bad("member without a name")),
    ("a name given twice", parse, (b'{"a":1,"\\u0061":2}',), _bad("member given twice")),
    ("the wrong bracket", parse, (b'{"a":[1}',), _bad("no comma and no end")),
    ("not closed", parse, (b'{"a":[1',), _bad("no comma and no end")),
    ("text after the end", parse, (b"{}{}",), _bad("text after the end")),
    ("NaN", parse, (b"NaN",), _bad("no value")),
    ("infinity", parse, (b"-Infinity",), _bad("no value")),
    ("a number too large for a float", parse, (b"1e999",), _bad("number too large")),
    ("a leading zero", parse, (b"01",), _bad("no value")),
    ("a leading plus", parse, (b"+1",), _bad("no value")),
    ("a dot without digits", parse, (b"1.",), _bad("no value")),
    ("an exponent without digits", parse, (b"1e+",), _bad("no value")),
    ("a number of a thousand digits", parse, (b"1" * 1000,), _bad("no value")),
    ("a word with another ending", parse, (b"nullx",), _bad("text after the end")),
    ("a control character in a string", parse, (b'"a\nb"',), _bad("control character in a string")),
    ("an unknown escape", parse, (b'"\\x41"',), _bad("unknown escape")),
    ("an escape of three digits", parse, (b'"\\u12g4"',), _bad("escape without four digits")),
    ("half a surrogate pair", parse, (b'"\\ud83d"',), _bad("half a surrogate pair")),
    ("a surrogate pair in the wrong order", parse, (b'"\\ude00\\ud83d"',),
     _bad("half a surrogate pair")),
    ("a surrogate and then a letter", parse, (b'"\\ud83d\\u0041"',), _bad("half a surrogate pair")),
    ("a string without an end", parse, (b'"abc',), _bad("string without an end")),
    ("a string that ends in an escape", parse, (b'"\\',), _bad("string without an end")),
    ("bytes that are not UTF-8", parse, (b'"\xff"',), ("raises", "MalformedMessage", "not UTF-8")),
    ("a list where an object is needed", parse_object, (b"[]",),
     ("raises", "MalformedMessage", "JSON is not an object")),
    ("writing sorts and escapes", write, (_TREE,),
     b'{"a":{"":{}},"b":[1,true,null,"\\u00e4\\"\\\\\\u000a\\ud83d\\ude00"],"c":[],"d":-7}'),
    ("what was written reads back equal", _after_writing, (_TREE,), True),
    ("a tuple is written as a list", write, ((1, ()),), b"[1,[]]"),
    ("a float where none may be", write, ({"a": 0.5}, False), ("raises", "ValueError",
     "JSON cannot hold")),
    ("bytes", write, ([b"x"],), ("raises", "ValueError", "JSON cannot hold")),
    ("not a number", write, (float("nan"),), ("raises", "ValueError", "JSON cannot hold")),
    ("a name that is a number", write, ({1: 2},), ("raises", "ValueError",
     "JSON member names are text")),
    ("too deep to write", write, ([[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]],),
     ("raises", "ValueError", "JSON nested deeper than 16")),
)  # fmt: skip
