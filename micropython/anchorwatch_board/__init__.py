"""The agent's driver for MicroPython: sockets, TLS, MQTT, files and clock of a board.

Rule: it performs and posts, as anchorwatch.linux does on Linux, by files and functions of the same
names; what is decided is decided in anchorwatch.core.
"""
