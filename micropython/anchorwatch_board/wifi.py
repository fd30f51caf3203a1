"""Joins the Wi-Fi network that wifi.json names, and joins again when it is lost; for hooks.py.

Rule: nothing of that file is printed or kept.

    {"ssid": "the network", "password": "its password"}
"""

import json
import time

import network

FILE = "wifi.json"
_JOIN_S = 20
_UNREADABLE = 'warning what=wifi-file-unreadable value=%s remedy="give ssid and password as JSON"'


class Station:
    """feed  called each second of waiting; write  takes the log's lines"""

    def __init__(self, feed, path=FILE, write=print):
        self._feed, self._path, self._write = feed, path, write
        self._station = network.WLAN(network.STA_IF)
        self._station.active(True)

    def up(self):
        """Whether the network is there now; waits for it, but not for ever."""
        if self._station.isconnected():
            return True
        self._join()
        for _ in range(_JOIN_S):
            if self._station.isconnected():
                return True
            self._feed()
            time.sleep(1)
        return False

    def _join(self):
        try:
            with open(self._path) as file:
                given = json.load(file)
            name, password = given["ssid"], given["password"]
        except (OSError, ValueError, KeyError, TypeError):
            self._write(_UNREADABLE % self._path)
            return
        try:
            self._station.connect(name, password)
        except OSError:
            pass  # it is joining already, and goes on with that
