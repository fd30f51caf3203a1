"""A small heap: in long pieces, and without the modules that are not needed any more; frozen, they
are there again when they are.

Rule: what is let go of keeps nothing to itself between two uses, and nothing that stays refers to
it: any function that is kept keeps all of its module. It costs a second run of the module's top
level, some milliseconds.
"""

import gc
import sys

# What checks a configuration; its values are in anchorwatch.sections.
CONFIGURING = ("anchorwatch.config", "anchorwatch.relations", "anchorwatch.settings",
               "anchorwatch.values")


def collect_often():
    """For the start of a program, before it imports the agent: what stays of modules, roots and
    state lies close together then, and leaves long pieces for TLS. An Agent that runs collects less
    often again."""
    gc.threshold(4096)


def let_go(modules):
    """Forget modules by their full names; those that are not loaded are passed over."""
    for name in modules:
        if sys.modules.pop(name, None) is not None:
            package, _, last = name.rpartition(".")
            delattr(sys.modules[package], last)
