"""The configuration: a parsed tree in, checked settings out.

Rule: nothing here reads, writes or asks the runtime; the driver reads the file and hands over the
tree. A value under [credential] is never shown, because somebody may have put a key there.
"""

from .errors import ConfigError
from .relations import relate
from .sections import Section
from .settings import ENDPOINTS, rows_by_section
from .values import LINES, PATH, PROXY, address_problem, looks_like_key, problem

ROWS = rows_by_section()

# By cloud: the global device endpoint of DPS, and how the names of its hubs end.
CLOUDS = {
    "global": ("global.azure-devices-provisioning.net", ".azure-devices.net"),
    "usgov": ("global.azure-devices-provisioning.us", ".azure-devices.us"),
    "china": ("global.azure-devices-provisioning.cn", ".azure-devices.cn"),
}
# A longer key is compared by its beginning: a hostile file must not cost minutes.
LONGEST_WORD = 40
STRICT = ("hub", "dps")

# Keys that would name the key of a whole group, without _ and - and "file" at their end.
GROUP_KEYS = ("groupkey", "enrollmentgroupkey", "masterkey", "groupmasterkey", "enrollmentkey")


class Config:
    """The whole configuration, checked: `config.reverify.interval_s`, `config.tls.hub.suites`.

    tree      what the file says, parsed: a dict of dicts
    folder    where relative paths start; "" leaves them as they are
    Raises    ConfigError: the setting, its value, what is allowed
    """

    def __init__(self, tree: dict, folder: str = "") -> None:
        if not isinstance(tree, dict):
            raise ConfigError("the configuration is no tree", "", "write [sections] with settings")
        _refuse_group_keys(tree)
        tree = _flat(tree)
        values = {name: _section(name, tree.get(name, {}), folder) for name in sorted(ROWS)}
        _complete(values, "dps" in tree)
        relate(values)
        tls = {name: Section(values.pop("tls." + name)) for name in ENDPOINTS}
        self.tls = Section(tls)
        for name in values:
            setattr(self, name, Section(values[name]))


def _refuse_group_keys(tree: dict) -> None:
    """A group's key on a device would let its finder be any device of the group."""
    waiting: list = [tree]
    while waiting:
        at = waiting.pop()
        children = [at[key] for key in at] if isinstance(at, dict) else at
        waiting.extend([child for child in children if isinstance(child, (dict, list))])
        for key in at if isinstance(at, dict) else ():
            bare = str(key).lower().replace("_", "").replace("-", "")
            if (bare[:-4] if bare[-4:] == "file" else bare) in GROUP_KEYS:
                raise ConfigError(
                    "a group's master key must never be on a device",
                    key,
                    "derive the device's own key on the bench, put that into [credential] "
                    "key_file, remove this setting, and replace the group's key: it was exposed",
                )


def _flat(tree: dict) -> dict:
    """{"tls": {"hub": ...}} as {"tls.hub": ...}; refuses what is no section of ours."""
    flat = dict(tree)
    tls = flat.pop("tls", {})
    if not isinstance(tls, dict):
        raise ConfigError("not a section", "tls", "write [tls.hub] and its settings below")
    for name in tls:
        flat["tls." + name] = tls[name]
    for name in sorted(flat):
        if name not in ROWS:
            raise ConfigError("unknown section", "[%s]" % name, _belongs(name, sorted(ROWS)))
        if not isinstance(flat[name], dict):
            raise ConfigError("not a section", name, "write [%s] and its settings below" % name)
    return flat


def _section(name: str, given: dict, folder: str) -> dict:
    lines = _lines(name, given)
    known = [row[0] for row in ROWS[name]]
    for key in sorted(given):
        if key not in known and key not in lines:
            raise ConfigError("unknown setting in [%s]" % name, key, _belongs(key, sorted(known)))
    values: dict = {"lines": lines} if "HOST:PORT" in known else {}
    for key, kind, default, limits, _ in ROWS[name]:
        if key in given:
            _check(name, key, kind, given[key], limits)
        value = given.get(key, default)
        relative = kind == PATH and value and value[0] != "/"
        values[key] = folder + "/" + value if relative and folder else value
    values.pop("HOST:PORT", None)
    return values


def _lines(name: str, given: dict) -> dict:
    """The lines of a section whose keys are HOST:PORT; {} for every other section."""
    if ROWS[name][0][1] != LINES:
        return {}
    lines = {key: given[key] for key in given if ":" in key}
    for key in sorted(lines):
        if address_problem(key):
            raise ConfigError("[%s] has a line for no host" % name, key, 'give "HOST:PORT" = [...]')
        _check(name, key, LINES, lines[key], ())
    return lines


def _check(section: str, key: str, kind: str, value: object, limits: tuple) -> None:
    allowed = problem(kind, value, limits)
    if allowed:
        secret = section == "credential" or (isinstance(value, str) and looks_like_key(value))
        shown = "..." if secret or kind == PROXY else value
        raise ConfigError("[%s] %s cannot be this" % (section, key), shown, "give " + allowed)


def _belongs(word: str, known: list) -> str:
    homes = sorted([name for name in ROWS if word in [row[0] for row in ROWS[name]]])
    if homes:
        return "it belongs under [%s]" % homes[0]
    word = word[:LONGEST_WORD]
    best = min(known, key=lambda name: (_distance(word, name), name))
    if 2 * _distance(word, best) <= len(best) + 1:
        return "did you mean %s?" % best
    return "known are " + ", ".join(known)


def _distance(a: str, b: str) -> int:
    """Levenshtein's: letters to put in, leave out or change."""
    row = list(range(len(b) + 1))
    for i in range(len(a)):
        last, row = row, [i + 1]
        for j in range(len(b)):
            row.append(min(last[j] + (a[i] != b[j]), last[j + 1] + 1, row[j] + 1))
    return row[-1]


def _complete(values: dict, uses_dps: bool) -> None:
    """Fill what follows from another setting."""
    device, control = values["device"], values["control"]
    dps_host, suffix = CLOUDS[device["cloud"]]
    device["device_id"] = device["device_id"] or device["registration_id"]
    values["dps"]["host"] = (values["dps"]["host"] or dps_host) if uses_dps else ""
    values["hub"]["allowed_suffixes"] = values["hub"]["allowed_suffixes"] or (suffix,)
    control["socket"] = control["socket"] or values["state"]["dir"] + "/control.sock"
    for endpoint in ENDPOINTS:
        tls = values["tls." + endpoint]
        if tls["strict"] is None:
            tls["strict"] = endpoint in STRICT
