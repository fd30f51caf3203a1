"""What wakes up, for mypy."""

from .asked import Commands
from .bundles import Bundles
from .commit import Commit
from .device import Device
from .registration import Registration
from .roots import Roots
from .shapes import Free
from .token import Tokens
from .watch import Watch

def registration(device: Device, tokens: Tokens) -> Registration: ...
def commit(device: Device, free: Free) -> Commit: ...
def bundles(watch: Watch) -> Bundles: ...
def roots(watch: Watch) -> Roots: ...
def commands(watch: Watch) -> Commands: ...
