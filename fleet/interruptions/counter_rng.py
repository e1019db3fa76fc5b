"""Random numbers without a state: a pure function of a seed, a label and a counter.

What instance 17 or the third shock of a zone draws depends on nothing else, whichever strategy runs and in
whatever order it asks: strategies that are compared meet the same fate (common random numbers).
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints

__all__ = ["key_of", "uniforms"]

WORD = 2**64
STEP = 0x9E3779B97F4A7C15
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def key_of(seed: int, *labels: str) -> int:
    """Return the 64-bit key of one stream of numbers, such as that of one zone's shocks."""
    text = "\0".join((str(seed), *labels)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def uniforms(key: int, counters: Ints) -> Floats:
    """Return a number in (0, 1), ends excluded, for each of ``counters``; any shape.

    SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014), read at any
    place of its sequence; 53 bits a number.
    """
    state = (counters.astype(np.uint64) + np.uint64(1)) * np.uint64(STEP) + np.uint64(key % WORD)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(FIRST)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(SECOND)
    state ^= state >> np.uint64(31)
    drawn: Floats = ((state >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return drawn
