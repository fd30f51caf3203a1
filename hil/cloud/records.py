"""Connection records, with the columns of the documented query over a hub's connection logs.

The query: AzureDiagnostics, Category "Connections", distinct TimeGenerated, OperationName, Level,
ResultType, ResultDescription, DeviceId, Protocol, SDKVersion.
Source: "Migrate IoT Hub resources to a new TLS certificate root"; codes from "Troubleshoot error
codes".
"""

from datetime import datetime, timezone

TAKEN_OVER = 400027
UNAUTHORIZED = 401003
DISABLED = 403012
NOT_FOUND = 404001
CLOSED_REMOTELY = 404104

DESCRIPTIONS = {
    0: "",
    TAKEN_OVER: "ConnectionForcefullyClosedOnNewConnection",
    UNAUTHORIZED: "IotHubUnauthorized",
    DISABLED: "DeviceDisabled",
    NOT_FOUND: "DeviceNotFound",
    CLOSED_REMOTELY: "DeviceConnectionClosedRemotely",
}


def iso(utc_s: int) -> str:
    """ "2026-11-22T02:16:41Z"."""
    return datetime.fromtimestamp(utc_s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class ConnectionRecords:
    """One row a connect or disconnect."""

    def __init__(self) -> None:
        self.rows: list[dict] = []

    def add(self, utc_s: int, operation: str, device: str, code: int, sdk_version: str) -> None:
        """`operation` is deviceConnect or deviceDisconnect, `code` 0 or a documented error."""
        self.rows.append(
            {
                "TimeGenerated": iso(utc_s),
                "OperationName": operation,
                "Level": "Error" if code else "Informational",
                "ResultType": str(code) if code else "",
                "ResultDescription": DESCRIPTIONS[code],
                "DeviceId": device,
                "Protocol": "Mqtt",
                "SDKVersion": sdk_version,
            }
        )
