"""Performs the core's actions on either runtime, whose own part comes as an argument."""
