"""What one setting asks of another.

Rule: every check is a function of the whole {section: {key: value}}, each value already good alone.
"""

from .errors import ConfigError
from .settings import ENDPOINTS
from .values import DIGITS, LETTERS, address_problem, host_problem, only

# A certificate's common name holds no more, and the registration id stands in it.
LONGEST_COMMON_NAME = 64


def relate(values: dict) -> None:
    """What one setting asks of another."""
    for check in (_where_to, _registration, _credential, _issuer, _session, _proxy):
        check(values)
    for check in (_suffixes, _mirrors, _order):
        check(values)


def _need(value: object, what: str, remedy: str) -> None:
    if not value:
        raise ConfigError(what, "", remedy)


def _where_to(values: dict) -> None:
    device, dps, hub = values["device"], values["dps"], values["hub"]
    _need(
        dps["host"] or hub["host"],
        "neither a provisioning service nor a hub is named",
        "write [dps] (it may be empty) or [hub] host",
    )
    if dps["host"]:
        _need(device["id_scope"], "[device] id_scope is missing", "DPS shows it on its overview")
        _need(device["registration_id"], "[device] registration_id is missing", "DPS needs it")
    _need(device["device_id"], "[device] device_id is missing", "give the device's id at the hub")


def _registration(values: dict) -> None:
    device, kind = values["device"], values["credential"]["kind"]
    for key, characters in (("registration_id", "-._:"), ("id_scope", "-_.")):
        text = device[key]
        if not only(text, LETTERS + DIGITS + characters):
            shown = " ".join(characters)
            raise ConfigError(
                "[device] %s cannot be this" % key, text, "give letters, digits and " + shown
            )
    text = device["registration_id"]
    if text and not only(text[-1], LETTERS + DIGITS + "-"):
        raise ConfigError(
            "[device] registration_id cannot be this", text, "end it with a letter, a digit or -"
        )
    if kind == "x509" and len(text) > LONGEST_COMMON_NAME:
        raise ConfigError(
            "[device] registration_id is too long for a certificate",
            text,
            "give at most %d characters: it is the certificate's common name" % LONGEST_COMMON_NAME,
        )


def _credential(values: dict) -> None:
    credential = values["credential"]
    if values["mqtt"]["mode"] == "watch":
        return
    kind = credential["kind"]
    for key in ("cert_file", "key_file") if kind == "x509" else ("key_file",):
        _need(credential[key], "[credential] %s is missing" % key, "kind %s needs it" % kind)


def _issuer(values: dict) -> None:
    identity, issuer = values["identity"], values["identity"]["issuer"]
    if issuer == "none":
        return
    asks = {"command": ("identity", "command"), "files": ("identity", "drop_dir")}
    asks.update({"est": ("est", "host"), "dps": ("dps", "host")})
    section, key = asks.get(issuer, ("identity", "issuer"))
    missing = "[%s] %s is missing" % (section, key)
    _need(values[section][key], missing, "issuer %s needs it" % issuer)
    if issuer == "command" and identity["command"][0][:1] != "/":
        raise ConfigError(
            "[identity] command is not an absolute path", identity["command"][0], "give it whole"
        )


def _session(values: dict) -> None:
    mqtt = values["mqtt"]
    if mqtt["mode"] == "module":
        _need(mqtt["module_id"], "[mqtt] module_id is missing", "mode module needs it")
    elif mqtt["module_id"]:
        raise ConfigError(
            "[mqtt] module_id without mode module", mqtt["module_id"], 'write mode = "module"'
        )


def _proxy(values: dict) -> None:
    mqtt = values["mqtt"]
    if mqtt["proxy_auth_file"] and not mqtt["proxy"]:
        raise ConfigError(
            "[mqtt] proxy_auth_file without a proxy",
            mqtt["proxy_auth_file"],
            'write proxy = "http://HOST:PORT" too',
        )


def _suffixes(values: dict) -> None:
    """Without its dot, example.net would let badexample.net in."""
    for section, key in (("hub", "allowed_suffixes"), ("trust", "system_suffixes")):
        for suffix in values[section][key]:
            if suffix[0] != "." or host_problem("a" + suffix):
                remedy = "give the end of a name with its dot, like .azure-devices.net"
                raise ConfigError("[%s] %s cannot be this" % (section, key), suffix, remedy)


def _mirrors(values: dict) -> None:
    for url in values["trust"]["mirrors"]:
        scheme, there, rest = url.partition("://")
        host = rest.partition("/")[0]
        address = host if ":" in host else host + ":443"
        if scheme not in ("http", "https") or not there or address_problem(address):
            shown = "..." if "@" in url else url
            remedy = "give http:// or https://, a host and a path"
            raise ConfigError("[trust] mirrors cannot hold this", shown, remedy)


def _order(values: dict) -> None:
    ladder = values["unauthorized"]
    if ladder["slow_first_s"] > ladder["slow_most_s"]:
        raise ConfigError(
            "[unauthorized] slow_first_s is longer than slow_most_s",
            ladder["slow_first_s"],
            "give at most %d" % ladder["slow_most_s"],
        )
    for endpoint in ENDPOINTS:
        tls = values["tls." + endpoint]
        if tls["all_ecc"] and tls["suites"] == "rsa":
            raise ConfigError(
                "[tls.%s] all_ecc cannot be met with RSA suites" % endpoint,
                "rsa",
                'write suites = "ecdsa"',
            )
