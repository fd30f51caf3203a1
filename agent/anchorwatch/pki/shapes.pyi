"""What the names of shapes.py mean.

Entry    what a trust layer keeps of a root: see der.anchor_entry
Profile  the TLS settings of one endpoint
"""

from typing import Any

Entry = dict[str, Any]
Profile = dict[str, Any]
