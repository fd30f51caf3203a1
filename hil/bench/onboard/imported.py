"""A board's main.py that imports the agent, and says as one line of JSON what that takes.

Rule: free is free after a collection.
"""

import gc
import json
import time

gc.collect()
before = gc.mem_free()

from anchorwatch_board import memory  # noqa: E402  after the first look

memory.collect_often()

from anchorwatch_board import agent, console  # noqa: E402, F401

gc.collect()
after = gc.mem_free()

from anchorwatch.pki import p256  # noqa: E402

# The base point as a key; the signature is wrong, which takes as long to find out.
POINT = b"\x04" + b"".join(number.to_bytes(32, "big") for number in p256.G[:2])
SIGNATURE = b"\x30\x44" + 2 * (b"\x02\x20" + b"\x11" * 32)
COUNT = 5
began = time.ticks_us()
for number in range(COUNT):
    p256.verify_digest(POINT, bytes([number]) * 32, SIGNATURE)
took_us = time.ticks_diff(time.ticks_us(), began)
print(json.dumps({"free_before_import": before, "free_after_import": after,
                  "signature_ms": round(took_us / COUNT / 1000, 1)}))  # fmt: skip
