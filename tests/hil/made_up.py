"""A run that never was, as rows of a timeline: two acts, a swap, a fault, a message twice."""

BALTIMORE, G2 = "b" * 64, "2" * 64
ACTS = (
    ("first_boot", "First boot through DPS", "First boot", "A device finds its hub."),
    ("root_changes", "Baltimore to G2, connected", "To G2", "A changed root is met."),
)


def state(t_ms, connection, anchor="", address="", ladder="clear"):
    machines = {"connection": connection, "ladder": ladder}
    return {
        "t_ms": t_ms, "who": "agent", "what": "state", "machines": machines,
        "hub": "hub.example", "anchor": anchor, "address": address,
    }  # fmt: skip


def status(t_ms, connection, anchor="", fault=None):
    row = state(t_ms, connection, anchor)
    return {**row, "what": "status", "fault": fault}


def act(t_ms, number):
    name, title, short, claim = ACTS[number - 1]
    return {
        "t_ms": t_ms, "who": "demo", "what": "act", "number": number, "name": name,
        "title": title, "short": short, "claim": claim,
    }  # fmt: skip


def over(t_ms, number, failure=None):
    name = ACTS[number - 1][0]
    return {"t_ms": t_ms, "who": "demo", "what": "act over", "name": name, "failure": failure}


def message(mid, sent_ms, *arrived_ms):
    rows = [{"t_ms": sent_ms, "who": "demo", "what": "sent", "mid": mid}]
    return rows + [
        {"t_ms": t_ms, "who": "hub", "what": "telemetry", "mid": mid} for t_ms in arrived_ms
    ]


def rows(**more):
    """Sorted by t_ms; `more` goes into the row that opens the run."""
    refused = {"class": "network", "verdict": "refused"}
    made = [
        {"t_ms": 0, "who": "demo", "what": "run", "title": "a made up run", "at": "never",
         "messages_per_s": 20, "roots": {BALTIMORE: "Baltimore CyberTrust Root",
                                         G2: "DigiCert Global Root G2"}, **more},
        act(0, 1), status(10, "idle"), state(100, "registering"),
        {"t_ms": 299, "who": "agent", "what": "fault", "said": "hub h: refused", **refused},
        status(300, "waiting for hub", fault=refused), state(900, "dialing hub"),
        state(1_000, "online", BALTIMORE, "127.7.7.2"), status(1_001, "online", BALTIMORE),
        over(2_000, 1), act(2_000, 2),
        {"t_ms": 2_100, "who": "operator", "what": "chain", "of": "hub", "name": "g2-rsa"},
        {"t_ms": 2_500, "who": "agent", "what": "reverify", "anchor": G2},
        {"t_ms": 2_600, "who": "agent", "what": "swap", "why": "anchor"},
        state(2_700, "swapping", BALTIMORE, "127.7.7.2"),
        state(2_800, "online", G2, "127.7.7.2"), over(4_000, 2),
    ]  # fmt: skip
    made += message("1", 500, 1_100) + message("2", 1_500, 1_510, 2_900) + message("3", 3_900)
    return sorted(made, key=lambda row: row["t_ms"])
