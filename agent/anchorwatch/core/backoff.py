"""How long to wait: floor + full jitter under a doubling ceiling, at the ceiling the device's own
phase. Decides nothing else.

Source: design section 4; AWS Architecture Blog, "Exponential Backoff And Jitter" for full jitter
below the ceiling.
"""

from .shapes import Rand

PHASES = 1_000_000


def delay_ms(rand_below: Rand, floor_ms: int, first_ms: int, ceiling_ms: int, tries: int) -> int:
    """floor + rand(0, min(ceiling, first * 2**tries)); tries counts from 0."""
    reach = min(ceiling_ms, first_ms << min(tries, 30))
    return floor_ms + int(rand_below(reach + 1))


def at_ceiling(first_ms: int, ceiling_ms: int, tries: int) -> bool:
    """True once doubling has come to the ceiling."""
    return first_ms << min(tries, 30) >= ceiling_ms


def phase_wait_ms(t_ms: int, window_ms: int, phase: int) -> int:
    """From t until the device's own moment in the next window, 1 to window_ms.

    phase  0 to PHASES - 1, fixed per device: full jitter at a cap would peak at twice the fleet's
           mean rate
    """
    moment = window_ms * phase // PHASES
    return (moment - t_ms - 1) % window_ms + 1
