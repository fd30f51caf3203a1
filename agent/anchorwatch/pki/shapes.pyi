"""What the names of shapes.py mean.

Entry    what a trust layer keeps of a root: see der.anchor_entry
Profile  the TLS settings of one endpoint
Put      takes the next piece of something long
File     a kind of signed file, Maker what makes it out of bytes
Pause    called in the middle of long arithmetic; Random  n secret bytes
Signer   the signature over some bytes
"""

from collections.abc import Callable
from typing import Any, TypeVar

from .roles import Signed

Entry = dict[str, Any]
Profile = dict[str, Any]
Put = Callable[[bytes], object]
File = TypeVar("File", bound=Signed)
Maker = Callable[[bytes], File]
Pause = Callable[[], object]
Random = Callable[[int], bytes]
Signer = Callable[[bytes], bytes]
