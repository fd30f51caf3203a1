"""The version, as the status page, bundles and packages tell it. Source: setup.cfg."""

__version__ = "0.1.0"
