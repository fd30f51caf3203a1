"""Readiness, status and watchdog for systemd. Rule: without NOTIFY_SOCKET every call does nothing.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

import os
import socket


class Systemd:
    """Datagrams to the service manager; `environment` is the process's."""

    def __init__(self, environment) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._period_ms = _period_ms(environment) // 2 if self._address else 0
        self._due_ms: int | None = None
        self._status = ""

    def ready(self, now_ms: int) -> None:
        """The agent runs: start the watchdog's clock."""
        self._send("READY=1")
        if self._period_ms:
            self._due_ms = now_ms

    def status(self, text: str) -> None:
        """One line for `systemctl status`, sent when it changed."""
        if text != self._status:
            self._status = text
            self._send("STATUS=" + text.replace("\n", " "))

    def stopping(self) -> None:
        """The agent ends because it was asked to."""
        self._send("STOPPING=1")

    def wake_at(self) -> int | None:
        """When the watchdog must be fed next; None without one."""
        return self._due_ms

    def turn(self, now_ms: int) -> None:
        """Feed the watchdog once half of its wait is over; called at every turn of the loop."""
        if self._due_ms is not None and now_ms >= self._due_ms - self._period_ms // 2:
            self._send("WATCHDOG=1")
            self._due_ms = now_ms + self._period_ms

    def _send(self, text: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
                speaker.setblocking(False)
                speaker.sendto(text.encode(), self._address)
        except OSError:
            pass  # a manager that does not listen must not stop the watch


def _address(text: str) -> str:
    if text.startswith("@"):
        return "\0" + text[1:]
    return text if text.startswith("/") else ""


def _period_ms(environment) -> int:
    of_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    text = environment.get("WATCHDOG_USEC", "")
    return int(text) // 1000 if of_us and text.isdigit() else 0
