"""Decides: the machines. No I/O, no clock, no chance; events in, actions out."""
