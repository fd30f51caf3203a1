"""What a person can do about a fault: a sentence for each verdict that has one, else for its class.

Rule: a sentence names what to look at or which command to give; it never promises.
"""

CLASSES = {
    "network": "check the line, the name service and the firewall for this port",
    "service": "nothing to do here: the service is not answering as it should",
    "contended": "the hub closes what it accepted: another client uses this device id (a cloned "
    "image?), the daily quota is used up, or the device is being disabled",
    "throttled": "nothing to do here: the service asked to wait",
    "trust": "compare the presented root with `anchorwatch roots list`; add it if you trust it",
    "policy": "compare what the server offers with [tls.hub] and [tls.dps]",
    "clock": "check the SNTP server and the real-time clock",
    "memory": "free memory",
    "identity": "check the device at the hub and its enrollment: "
    "disabled, removed, or registered with another key or certificate",
}
VERDICTS = {
    "name-unknown": "check the name in the configuration and the name service of this network",
    "table-malformed": "repair the resolve_file, or remove it",
    "refused": "nothing listens at this address: check the port and the firewall",
    "silent": "the line takes packets and answers none: check the firewall for this port",
    "unknown-issuer": "is the presented root the service's? then `anchorwatch roots add FILE`; if "
    "it is not, something on the way inspects TLS",
    "no-anchor": "put roots into trust.factory_dir, or `anchorwatch roots add FILE`",
    "name-mismatch": "the server is another one than configured: check the name and who answers",
    "on-hold": "its root is distrusted and its issuer a new one: import the bundle with the root "
    "that follows, or `anchorwatch roots add FILE`; never take back the distrust for it",
    "sunset": "its root is trusted for older certificates only: import the bundle with the root "
    "that follows, or `anchorwatch roots add FILE`",
    "expired": "the server's certificate has ended: tell whoever runs it",
    "not-yet-valid": "the server's certificate has not begun: tell whoever runs it",
    "no-time": "a token needs the time: check [clock] sntp and the real-time clock",
    "no-common-suite": "[tls] suites = ecdsa needs a server with an ECC certificate: try any",
    "protocol-version": "the server does not speak TLS 1.2: is a proxy in between?",
    "hub-not-allowed": "if this hub is yours, add its domain to hub.allowed_suffixes",
    "credential-unreadable": "check [credential] cert_file and key_file: owner, mode, contents",
    "certificate-refused": "the server refused the certificate itself: check its dates and issuer",
    "closed-before-connack": "the hub closes without an answer: it may be throttling",
    "malformed-reply": "the service broke its own documentation: is it the right host?",
    "transport-unavailable": "set mqtt.transport = mqtt: the others are not there yet",
    "proxy-unavailable": "remove mqtt.proxy: proxies are not there yet",
    "fragment-unavailable": "set max_fragment to off or prefer, or use another build of Python: "
    "`anchorwatch check` says why this one cannot ask for short records",
    "fragment-refused": "the server does not shorten its records as asked: set max_fragment to off "
    "or prefer for this endpoint",
}


def remedy(fault: str, verdict: str) -> str:
    """The sentence for a verdict of a class; dates are the clock's matter until it is proven."""
    if fault == "clock" and verdict != "no-time":
        return CLASSES["clock"]
    return VERDICTS.get(verdict) or CLASSES[fault]
