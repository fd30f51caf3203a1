# Printed by tests/core/test_config.py with REWRITE=1 from the table of settings.py.
from collections.abc import Sequence
from typing import Any

class Device:
    id_scope: str
    registration_id: str
    device_id: str
    model_id: str
    cloud: str

class Credential:
    kind: str
    cert_file: str
    key_file: str
    enrollment: str

class Identity:
    issuer: str
    first: str
    key: str
    key_command: Sequence[str]
    wipe_command: Sequence[str]
    command: Sequence[str]
    drop_dir: str
    renew_percent: int
    retry_percent: int
    issue_every_s: int
    keep_old_s: int
    trial_retry_s: int

class Est:
    host: str
    port: int
    label: str
    anchors_file: str
    auth_file: str

class Dps:
    host: str
    port: int
    https_port: int
    spread_s: int

class Hub:
    host: str
    port: int
    https_port: int
    allowed_suffixes: Sequence[str]

class Mqtt:
    transport: str
    proxy: str
    proxy_auth_file: str
    mode: str
    module_id: str
    keepalive_s: int
    in_flight: int
    drain_s: int

class Reverify:
    interval_s: int
    action: str
    confirm_s: int
    swap_every_s: int
    address_gone_s: int

class Unauthorized:
    patience_s: int
    action: str
    cycles_per_hour: int
    cycles_per_day: int
    slow_first_s: int
    slow_most_s: int

class Fleet:
    devices: int
    connects_per_s: int

class Trust:
    factory_dir: str
    site_dir: str
    drop_dir: str
    system: bool
    system_suffixes: Sequence[str]
    system_scopes: Sequence[str]
    hold_max_s: int
    trial_max_s: int
    mirrors: Sequence[str]

class Tls:
    suites: str
    max_fragment: str
    max_fragment_bytes: int
    strict: bool
    all_ecc: bool

class Endpoints:
    hub: Tls
    dps: Tls
    est: Tls
    mirror: Tls

class Sas:
    lifetime_s: int
    renew_at: float

class Clock:
    sntp: str
    patience_s: int

class Boot:
    spread_s: int

class State:
    dir: str

class Control:
    socket: str
    group: str

class Cloud:
    allow: Sequence[str]

class Export:
    key: bool

class Resolve:
    lines: dict[str, list[str]]
    resolve_file: str

class Config:
    device: Device
    credential: Credential
    identity: Identity
    est: Est
    dps: Dps
    hub: Hub
    mqtt: Mqtt
    reverify: Reverify
    unauthorized: Unauthorized
    fleet: Fleet
    trust: Trust
    tls: Endpoints
    sas: Sas
    clock: Clock
    boot: Boot
    state: State
    control: Control
    cloud: Cloud
    export: Export
    resolve: Resolve
    def __init__(self, tree: dict[str, Any], folder: str = ...) -> None: ...
