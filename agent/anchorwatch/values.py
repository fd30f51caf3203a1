"""What a value of each configured type may be: one small judge a type.

Rule: a judge answers "" or the words that stand after "give": what is allowed, never the value.
"""

NAME, WORDS, TEXT, WHOLE, SHARE, YES_NO = "id", "list", "text", "integer", "share", "true/false"
PATH, HOST, ADDRESS, PROXY = "path", "host", "host:port", "proxy"
CHOICE, LINES = "choice", "lines"

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
# What a device id may hold, without + and #: in a topic these two are wildcards.
ID_CHARACTERS = LETTERS + DIGITS + "-.%_*?!(),:=@$'"
LONGEST_ID = 128
LONGEST_TEXT = 512
SHORTEST_KEY = 40


def only(text: str, characters: str) -> bool:
    """Whether every character of `text` is one of `characters`."""
    return all([c in characters for c in text])


def looks_like_key(text: str) -> bool:
    """Whether somebody seems to have put a key where a file's name belongs."""
    return "-----BEGIN" in text or (len(text) >= SHORTEST_KEY and text[-1] == "=")


def _printable(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= LONGEST_TEXT
        and all([" " <= c <= "~" for c in value])
    )


def _text(value: object, limits: tuple) -> str:
    return "" if _printable(value) else "printable ASCII, at most %d characters" % LONGEST_TEXT


def _name(value: object, limits: tuple) -> str:
    if isinstance(value, str) and len(value) <= LONGEST_ID and only(value, ID_CHARACTERS):
        return ""
    return "at most %d letters, digits and - . %% _ * ? ! ( ) , : = @ $ '" % LONGEST_ID


def _words(value: object, limits: tuple) -> str:
    if isinstance(value, (list, tuple)):
        if all([_printable(one) and one and (not limits or one in limits) for one in value]):
            return ""
    return "a list of " + ("any of: " + ", ".join(limits) if limits else "texts, none empty")


def _whole(value: object, limits: tuple) -> str:
    if type(value) is int and limits[0] <= value <= limits[1]:
        return ""
    return "a whole number from %d to %d" % limits


def _share(value: object, limits: tuple) -> str:
    if type(value) in (int, float) and limits[0] <= value <= limits[1]:
        return ""
    return "a number from %s to %s" % limits


def _yes_no(value: object, limits: tuple) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _choice(value: object, limits: tuple) -> str:
    if type(value) is type(limits[0]) and value in limits:
        return ""
    return "one of: " + ", ".join([str(word) for word in limits])


def _path(value: object, limits: tuple) -> str:
    if isinstance(value, str) and "\0" not in value and not looks_like_key(value):
        return ""
    return "the name of a file or folder"


def host_problem(value: object) -> str:
    """"" for a DNS name of letters, digits and hyphens, at least one letter in its last label."""
    good = isinstance(value, str) and len(value) <= 253
    labels = value.split(".") if good else [""]
    for label in labels:
        good = good and 0 < len(label) <= 63 and only(label, LETTERS + DIGITS + "-")
        good = good and label[0] != "-" and label[-1] != "-"
    if good and not only(labels[-1], DIGITS):
        return ""
    return "a host's name (no address, no port, no dot at its end)"


def address_problem(value: object) -> str:
    """"" for HOST:PORT, where HOST is a name, an IPv4 address or an IPv6 address in brackets."""
    if isinstance(value, str):
        host, colon, port = value.rpartition(":")
        bracketed = host[:1] == "[" and host[-1:] == "]" and only(host[1:-1], "0123456789abcdef:.")
        numbered = len(host.split(".")) == 4 and all([_octet(part) for part in host.split(".")])
        if _port(port) and (bracketed or numbered or not host_problem(host)):
            return ""
    return "HOST:PORT"


def _octet(text: str) -> bool:
    return 0 < len(text) <= 3 and only(text, DIGITS) and int(text) <= 255


def _port(text: str) -> bool:
    return 0 < len(text) <= 5 and only(text, DIGITS) and 0 < int(text) <= 65_535


def _proxy(value: object) -> str:
    if isinstance(value, str) and value[:7] == "http://" and not address_problem(value[7:]):
        return ""
    return "http://HOST:PORT, without a user or a password"


def _lines(value: object) -> str:
    if isinstance(value, (list, tuple)) and value:
        if not [one for one in value if address_problem(one)]:
            return ""
    return 'a list of one or more "ADDRESS:PORT"'


def _empty_or(judge, value):  # type: ignore[no-untyped-def]
    return "" if value == "" else judge(value)


JUDGES = {
    NAME: _name,
    WORDS: _words,
    TEXT: _text,
    WHOLE: _whole,
    SHARE: _share,
    YES_NO: _yes_no,
    CHOICE: _choice,
    PATH: _path,
    HOST: lambda value, limits: _empty_or(host_problem, value),
    ADDRESS: lambda value, limits: _empty_or(address_problem, value),
    PROXY: lambda value, limits: _empty_or(_proxy, value),
    LINES: lambda value, limits: _lines(value),
}


def problem(kind: str, value: object, limits: tuple) -> str:
    """What is allowed instead of `value`, or "" when it is good."""
    words: str = JUDGES[kind](value, limits)
    return words
