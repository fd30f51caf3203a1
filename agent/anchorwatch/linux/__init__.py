"""The CPython driver: performs the core's actions on Linux and posts its events."""
