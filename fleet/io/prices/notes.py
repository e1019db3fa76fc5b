"""What a price history leaves open, in words for every answer: silences, places, products."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from fleet.domain.exact_numbers import Ints
from fleet.domain.pools import IN_VPC, PoolKey, base_product, is_region
from fleet.domain.times import format_time

__all__ = ["contradiction_notes", "kept_apart", "notes_of", "silence_notes"]

LONGEST_S, SHORTEST_S = 24 * 3600, 3600
"""The API says an unchanged price again about once a day: a silence in every pool of more than a day is the
collector's. One of less than an hour is not worth a word."""
HOUR_S = 3600
NAMED_SILENCES = 3
"""Silences that have a line of their own; data with a rhythm of more than a day has one after each record."""
RHYTHM, QUIET = 6, 0.99
"""A silence is long at six times what 99 of 100 pauses between records stay below: of pauses drawn from an
exponential law, less than one in a thousand thousand million is so long."""
LONGEST_LEFT_OUT = 5
"""Pauses, at most a tenth, that do not count for what is usual: in a short history they are the silences."""


def kept_apart(keys: Iterable[PoolKey]) -> dict[PoolKey, PoolKey]:
    """Return the pool that each key of a price history stands for.

    Accounts that had EC2-Classic saw two markets, of two products: ``Linux/UNIX`` and ``Linux/UNIX (Amazon
    VPC)``. Where any pool has both, they are kept apart; else there is one market, by its short name.
    """
    found = set(keys)
    both = {base_product(p) for t, z, p in found if p.endswith(IN_VPC) and (t, z, base_product(p)) in found}
    return {
        (kind, zone, product): (
            kind,
            zone,
            product if base_product(product) in both else base_product(product),
        )
        for kind, zone, product in found
    }


def notes_of(keys: Sequence[PoolKey], assumed: int) -> tuple[str, ...]:
    """Return a line for each thing that is taken for granted of pools; ``assumed`` files name no product."""
    notes = []
    places = ", ".join(sorted({place for _, place, _ in keys if is_region(place)}))
    if places:
        notes.append(f"prices of {places} are by region, of no known zone; their time is their file's own")
    apart = sum(product.endswith(IN_VPC) for _, _, product in keys)
    if apart:
        notes.append(
            f"prices of EC2-Classic and of Amazon VPC are kept apart: {apart} pools are of VPC, which "
            f"--product 'Linux/UNIX{IN_VPC}' asks for"
        )
    if assumed:
        notes.append(f"{assumed} price files name no product: taken as Linux/UNIX")
    return tuple(notes)


def contradiction_notes(count: int) -> tuple[str, ...]:
    """Return a line where records of one pool and second state different prices."""
    if not count:
        return ()
    return (f"{count:,} price records contradict another of the same pool and second: the last read counts",)


def silence_notes(time_s: Ints) -> tuple[str, ...]:
    """Return a line for each span without a record in any pool that is long for the data."""
    first = int(time_s.min())
    halves = time_s - first
    halves //= SHORTEST_S // 2
    count = int(halves.max()) + 1
    if count <= len(halves):
        seen = np.zeros(count, dtype=np.bool_)
        seen[halves] = True
        if bool(seen.all()):  # a longer silence would leave the half of one empty
            return ()
    moments = np.unique(time_s)
    pauses = np.diff(moments)
    if not len(pauses):
        return ()
    counted = np.sort(pauses)[: len(pauses) - min(LONGEST_LEFT_OUT, -(-len(pauses) // 10))]
    usual = RHYTHM * float(np.quantile(counted, QUIET)) if len(counted) else float(LONGEST_S)
    long = np.flatnonzero(pauses > min(max(usual, SHORTEST_S), LONGEST_S))
    notes = [
        f"no price record in any pool from {format_time(int(moments[k]))} to "
        f"{format_time(int(moments[k + 1]))}: the last price is carried through"
        for k in long[:NAMED_SILENCES]
    ]
    rest = pauses[long[NAMED_SILENCES:]]
    if len(rest):
        notes.append(
            f"{len(rest):,} more such pauses until {format_time(int(moments[long[-1] + 1]))}, "
            f"the longest of {int(rest.max()) / HOUR_S:.1f} h"
        )
    return tuple(notes)
