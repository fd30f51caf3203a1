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
    "intermediate-missing": "whoever runs the server must present its issuer's certificate too; no "
    "root on the device can stand in for it",
    "intercepted": "ask whoever runs this network to let the device's ports through unread, or "
    "sign in to it; never add the root of a proxy that inspects TLS",
    "key-not-proven": "the server shows somebody else's certificate: find out who answers there",
    "chain-too-long": "no server needs so many certificates or bytes: find out who answers there",
    "weak-key": "whoever runs the server needs certificates with RSA keys of 2048 bits, or ECC",
    "weak-signature": "whoever runs the server needs certificates signed over SHA-256 or better",
    "wrong-key-use": "whoever runs the server needs a certificate for servers, from a real CA",
    "unknown-key": "whoever runs the server needs certificates with RSA keys of 2048, 3072 or 4096 "
    "bits, or of P-256 or P-384",
    "against-standard": "no public CA issues such a certificate: find out who answers there",
    "excluded-name": "the issuer must not certify this name: whoever runs the server needs another",
    "not-ecc": "all_ecc refuses this chain: turn it off, or ask for one with elliptic keys only",
    "no-anchor": "put roots into trust.factory_dir, or `anchorwatch roots add FILE`",
    "name-mismatch": "the server is another one than configured: check the name and who answers",
    "on-hold": "its root is distrusted and its issuer a new one: import the bundle with the root "
    "that follows, or `anchorwatch roots add FILE`; never take back the distrust for it",
    "est-anchors": "write the PEM roots of the EST server into the file that [est] anchors_file "
    "names, readable by the agent's user",
    "sunset": "its root is trusted for older certificates only: import the bundle with the root "
    "that follows, or `anchorwatch roots add FILE`",
    "expired": "the server's certificate has ended: tell whoever runs it",
    "not-yet-valid": "the server's certificate has not begun: tell whoever runs it",
    "no-time": "a token needs the time: check [clock] sntp and the real-time clock",
    "no-common-suite": "[tls] suites = ecdsa needs a server with an ECC certificate, and rsa one "
    "with RSA: try any; if it is any, the server has nothing but suites of the past",
    "protocol-version": "the server does not speak TLS 1.2: is a proxy in between?",
    "malformed-handshake": "another service answers at this port, or a box in between",
    "name-not-served": "this server does not know the configured name: check the name",
    "cut": "the connection ended before it was secure: a firewall that dislikes TLS does so too",
    "hub-not-allowed": "if this hub is yours, add its domain to hub.allowed_suffixes",
    "credential-unreadable": "check [credential] cert_file and key_file: owner, mode, contents",
    "curve-not-offered": "use a device certificate on P-256 or P-384, and let openssl.cnf offer "
    "its curve in Groups",
    "certificate-refused": "the server refused the certificate itself: check its dates and issuer",
    "closed-before-connack": "the hub closes without an answer: it may be throttling",
    "malformed-reply": "the service broke its own documentation: is it the right host?",
    "proxy-unreachable": "check [mqtt] proxy, its name and port, and the way to it",
    "proxy-failed": "the proxy could not reach the service, or did not answer as a proxy does",
    "proxy-forbids": "the proxy lets nobody to this host and port: have its owner allow it, or set "
    "mqtt.transport = auto, which also tries port 443",
    "proxy-credentials": "the proxy wants a user and a password, or others: check [mqtt] "
    "proxy_auth_file",
    "upgrade-refused": "the server opens no websocket: set mqtt.transport = mqtt or auto",
    "upgrade-malformed": "what answers is no websocket: is a proxy in between?",
    "fragment-unavailable": "set max_fragment to off or prefer, or use another build of Python: "
    "`anchorwatch check` says why this one cannot ask for short records",
    "fragment-refused": "the server does not shorten its records as asked: set max_fragment to off "
    "or prefer for this endpoint",
    "handshake-split": "the server sends a message in several records, which Mbed TLS before 3.6.3 "
    "cannot join: build the firmware with a newer one, or set max_fragment to off",
    "record-too-long": "the server sends longer records than this firmware can take in: set "
    "max_fragment if the server honours it, or build it with a larger MBEDTLS_SSL_IN_CONTENT_LEN",
    "own-chain-too-long": "the device's certificates are longer than its firmware can send: leave "
    "out what the service knows, or build it with a larger MBEDTLS_SSL_OUT_CONTENT_LEN",
    "root-expired": "the root is past its end and still the one in use, and this firmware refuses "
    "it: build it with the C module, or import the bundle with the root that follows",
}

# Where one setting names the only roots of an endpoint, those of the layers are no help.
OWN_ROOTS = {
    "unknown-issuer": "no root in est.anchors_file issued this chain: if the server is the right "
    "one, put its root into that file",
}

# What could not be written, by the reason of a SaveFailed.
ROOM = "make room on the disk"
NOT_WRITTEN = {
    "read-only": "let the file system of state.dir be written to",
    "memory": "free memory (the disk is not at fault)",
}

# What the leaf says of itself tells more here than the presented root.
OF_LEAF = ("name-mismatch",)


def remedy(fault: str, verdict: str) -> str:
    """The sentence for a verdict of a class; dates are the clock's matter until it is proven."""
    if fault == "clock" and verdict != "no-time":
        return CLASSES["clock"]
    if verdict[:6] == "alert-":
        return "the server gave up by itself: its own log says why"
    return VERDICTS.get(verdict) or CLASSES[fault]


def of_gap(verdict: str, own_roots: bool) -> str:
    """The same for an endpoint whose chain has no usable root; own_roots: it has a file of its own
    (est.anchors_file)."""
    own = OWN_ROOTS.get(verdict) if own_roots else None
    return own or remedy("trust", verdict)


def to_write(reason: str) -> str:
    """What lets a save succeed that failed for this reason."""
    return NOT_WRITTEN.get(reason) or ROOM
