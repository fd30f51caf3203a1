"""Every setting: section, key, type, default, range or choices, one sentence.

Rule: this table is the only place that knows a setting; `documentation()` prints it. The unit is in
the key's name. A section "tls.*" stands for [tls.hub], [tls.dps], [tls.est] and [tls.mirror].
"""

from .values import (
    ADDRESS,
    CHOICE,
    HOST,
    LINES,
    NAME,
    PATH,
    PROXY,
    SHARE,
    TEXT,
    WHOLE,
    WORDS,
    YES_NO,
)

DAY_S = 86_400
PORT = (1, 65_535)
ENDPOINTS = ("hub", "dps", "est", "mirror")
METHODS = ("reverify", "reprovision", "rollCertificate", "importBundle")
ISSUERS = ("none", "dps", "hub", "est", "command", "files")
REVERIFY = ("swap_if_changed", "probe", "swap")

TABLE = (
    # section, its rows: key, type, default, range or choices, sentence
    ("device", (
        ("id_scope", NAME, "", (), "ID scope of the provisioning service."),
        ("registration_id", NAME, "", (), "Id of the device at DPS."),
        ("device_id", NAME, "", (), "Id at the hub, if not the registration id."),
        ("model_id", TEXT, "", (), "DTMI that the device announces."),
        ("cloud", CHOICE, "global", ("global", "usgov", "china"), "Which Azure cloud."),
    )),
    ("credential", (
        ("kind", CHOICE, "x509", ("x509", "symmetric_key"), "How the device proves who it is."),
        ("cert_file", PATH, "", (), "PEM: device certificate, then its intermediates."),
        ("key_file", PATH, "", (), "Private key (PEM), or the device's symmetric key in base64."),
        ("enrollment", CHOICE, "ca", ("ca", "thumbprint"), "What the enrollment knows."),
    )),
    ("identity", (
        ("issuer", CHOICE, "none", ISSUERS, "Who issues the device's next certificate."),
        ("first", CHOICE, "due", ("due", "at_once"), "When the configured one is replaced."),
        ("key", CHOICE, "p256", ("p256", "p384", "rsa2048"), "What each new key is."),
        ("key_command", WORDS, (), (), "Program that makes a key in a token; key file on stdout."),
        ("wipe_command", WORDS, (), (), "Program that destroys one there; key file on stdin."),
        ("command", WORDS, (), (), "Issuer command: request on stdin, chain on stdout."),
        ("drop_dir", PATH, "", (), "Issuer files: the request lies there, the chain is put there."),
        ("renew_percent", WHOLE, 80, (1, 99), "Renew at this share of a certificate's life."),
        ("retry_percent", WHOLE, 4, (1, 50), "Share of its life between two tries."),
        ("issue_every_s", WHOLE, 3600, (0, DAY_S), "At most one request in so long."),
        ("keep_old_s", WHOLE, DAY_S, (0, 30 * DAY_S), "The former one stays so long after a roll."),
        ("trial_retry_s", WHOLE, 3600, (1, DAY_S), "First wait of a refused new one; it doubles."),
    )),
    ("est", (
        ("host", HOST, "", (), "The EST server."),
        ("port", WHOLE, 443, PORT, "Its HTTPS port."),
        ("label", NAME, "", (), "Path segment behind /.well-known/est, if the CA has one."),
        ("anchors_file", PATH, "", (), "PEM roots that it is verified against; empty: scope est."),
        ("auth_file", PATH, "", (), "File with USER:PASSWORD for Basic authentication."),
    )),
    ("dps", (
        ("host", HOST, "", (), "Empty: the cloud's own. No [dps] at all: hub only."),
        ("port", WHOLE, 8883, PORT, "MQTT port of DPS."),
        ("https_port", WHOLE, 443, PORT, "HTTPS port of DPS: websocket, look-up, time."),
        ("spread_s", WHOLE, 60, (0, DAY_S), "A registration after a refusal waits up to so long."),
    )),
    ("hub", (
        ("host", HOST, "", (), "The hub, if not DPS says it."),
        ("port", WHOLE, 8883, PORT, "MQTT port of the hub."),
        ("https_port", WHOLE, 443, PORT, "HTTPS port of the hub: websocket, time."),
        ("allowed_suffixes", WORDS, (), (), "Ends of assigned hubs; empty: the cloud's."),
    )),
    ("mqtt", (
        ("transport", CHOICE, "mqtt", ("mqtt", "websocket", "auto"), "auto remembers what worked."),
        ("proxy", PROXY, "", (), "http://HOST:PORT of a CONNECT proxy; empty: none."),
        ("proxy_auth_file", PATH, "", (), "File with USER:PASSWORD for the proxy."),
        ("mode", CHOICE, "own", ("own", "module", "watch"), "Whose session it is."),
        ("module_id", NAME, "", (), "Needed by mode module, and only there."),
        ("keepalive_s", WHOLE, 240, (5, 1177), "Longest silence before a ping."),
        ("in_flight", WHOLE, 20, (1, 1000), "Messages sent and not yet acknowledged, at most."),
        ("drain_s", WHOLE, 2, (0, 60), "A swap waits so long for acknowledgements."),
    )),
    ("reverify", (
        ("interval_s", WHOLE, 2700, (5, DAY_S), "A second handshake at least so often."),
        ("action", CHOICE, "swap_if_changed", REVERIFY, "What a good one leads to."),
        ("confirm_s", WHOLE, 60, (1, 3600), "Two handshakes so far apart agree before a swap."),
        ("swap_every_s", WHOLE, 1800, (0, DAY_S), "At most one swap for a changed server in it."),
        ("address_gone_s", WHOLE, 600, (0, DAY_S), "An address missing so long has moved."),
    )),
    ("unauthorized", (
        ("patience_s", WHOLE, 600, (0, 3600), "Retries this long before DPS is asked."),
        ("action", CHOICE, "reprovision", ("reprovision", "retry_hub"), "After patience."),
        ("cycles_per_hour", WHOLE, 3, (1, 60), "Turns of the ladder in an hour, at most."),
        ("cycles_per_day", WHOLE, 10, (1, 1000), "Turns of the ladder in a day, at most."),
        ("slow_first_s", WHOLE, 900, (1, DAY_S), "First wait of the slow cadence."),
        ("slow_most_s", WHOLE, 21_600, (1, DAY_S), "Longest wait of the slow cadence."),
    )),
    ("fleet", (
        ("devices", WHOLE, 1000, (1, 100_000_000), "Devices on the same hub."),
        ("connects_per_s", WHOLE, 100, (1, 1_000_000), "Connects the hub takes in a second."),
    )),
    ("trust", (
        ("factory_dir", PATH, "", (), "Folder of PEM roots; empty: those of the package."),
        ("site_dir", PATH, "", (), "Folder of the operator's PEM roots."),
        ("drop_dir", PATH, "", (), "Folder that is looked into for bundles."),
        ("system", YES_NO, False, (), "Add the operating system's roots."),
        ("system_suffixes", WORDS, (), (), "They are good for names that end so; empty: any."),
        ("system_scopes", WORDS, (), ENDPOINTS, "They are good for these endpoints; empty: any."),
        ("hold_max_s", WHOLE, 1_209_600, (0, 1_209_600), "Longest hold on a distrusted only root."),
        ("trial_max_s", WHOLE, 3600, (10, DAY_S), "A trial ends then, by those that answered."),
        ("mirrors", WORDS, (), (), "URL prefixes from which bundles may come."),
    )),
    ("tls.*", (
        ("suites", CHOICE, "any", ("any", "rsa", "ecdsa"), "ECDHE suites offered: 8, 4 or 4."),
        ("max_fragment", CHOICE, "off", ("off", "prefer", "require"), "Ask for short TLS records."),
        ("max_fragment_bytes", CHOICE, 4096, (512, 1024, 2048, 4096), "How short."),
        ("strict", YES_NO, None, (), "RFC 5280 to the letter; yes for hub and dps."),
        ("all_ecc", YES_NO, False, (), "Every key of the chain must be elliptic."),
    )),
    ("sas", (
        ("lifetime_s", WHOLE, 3600, (20, 31_536_000), "Life of a token."),
        ("renew_at", SHARE, 0.75, (0.1, 0.95), "Share of its life after which it is renewed."),
    )),
    ("clock", (
        ("sntp", ADDRESS, "", (), "HOST:PORT of a time server; empty: none is asked."),
        ("patience_s", WHOLE, 3600, (0, DAY_S), "After it, dates are judged at the floor."),
    )),
    ("boot", (
        ("spread_s", WHOLE, 30, (0, 3600), "The first dial after boot waits up to so long."),
    )),
    ("state", (
        ("dir", PATH, "/var/lib/anchorwatch", (), "Folder of the state, mode 0700."),
    )),
    ("control", (
        ("socket", PATH, "", (), "Unix socket; empty: control.sock in the state's folder."),
        ("group", TEXT, "", (), "Group that may read the status and send."),
    )),
    ("cloud", (
        ("allow", WORDS, ("reverify",), METHODS, "Direct methods the cloud may call."),
    )),
    ("export", (
        ("key", YES_NO, False, (), "Export the private key too."),
    )),
    ("resolve", (
        ("HOST:PORT", LINES, "", (), "Addresses to dial for a name: [\"ADDRESS:PORT\", ...]."),
        ("resolve_file", PATH, "", (), "JSON with the same lines, read at every dial."),
    )),
)  # fmt: skip


def rows_by_section() -> dict:
    """{section: its rows}, with tls.* written out for every endpoint."""
    rows = {}
    for section, settings in TABLE:
        names = ["tls." + e for e in ENDPOINTS] if section == "tls.*" else [section]
        for name in names:
            rows[name] = settings
    return rows


def documentation() -> str:
    """The table as Markdown."""
    lines = ["| setting | type | unit | default | allowed | |", "| --- " * 6 + "|"]
    for section, settings in TABLE:
        for key, kind, default, limits, sentence in settings:
            cells = (section, key, kind, _unit(key), _default(default), _allowed(kind, limits))
            lines.append("| `[%s] %s` | %s | %s | %s | %s | " % cells + sentence + " |")
    return "\n".join(lines) + "\n"


def _unit(key: str) -> str:
    for ending, unit in (("_per_s", "1/s"), ("_s", "s"), ("_bytes", "bytes")):
        if key[-len(ending) :] == ending:
            return unit
    return ""


def _default(value: object) -> str:
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, (list, tuple)):
        return ", ".join(["`%s`" % word for word in value])
    return "" if value in ("", None) else "`%s`" % value


def _allowed(kind: str, limits: tuple) -> str:
    if kind in (WHOLE, SHARE):
        return "%s to %s" % limits
    return ", ".join(["`%s`" % word for word in limits])
