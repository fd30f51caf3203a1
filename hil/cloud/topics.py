"""The grammar of the services' topics: property bags and the query behind "/?".

Knows no topic by name. Escapes are percent signs; a plus sign is a plus sign.
Source: "Communicate with an IoT hub using the MQTT protocol".
"""

from urllib.parse import quote, unquote


def parsed_bag(bag: str) -> dict[str, str | None]:
    """ "a=1&b=&c" -> {"a": "1", "b": "", "c": None}."""
    found: dict[str, str | None] = {}
    for part in bag.split("&") if bag else []:
        name, equals, value = part.partition("=")
        found[unquote(name)] = unquote(value) if equals else None
    return found


def made_bag(properties: dict[str, str | None]) -> str:
    """The opposite of parsed_bag; every special character is escaped."""
    return "&".join(
        quote(name, safe="") + ("" if value is None else "=" + quote(value, safe=""))
        for name, value in properties.items()
    )


def parsed_query(query: str) -> dict[str, str]:
    """ "$rid=1&x" -> {"$rid": "1", "x": ""}."""
    return {name: value or "" for name, value in parsed_bag(query).items()}


def split_request(topic: str) -> tuple[str, dict[str, str]] | None:
    """ "$iothub/twin/GET/?$rid=1" -> ("$iothub/twin/GET", {"$rid": "1"}); None without "/?"."""
    path, mark, query = topic.partition("/?")
    return (path, parsed_query(query)) if mark else None
