"""A single Spot request (RequestSpotInstances), the older way to ask for Spot instances.

EC2 flags the API as legacy; Spot blocks (``BlockDurationMinutes``) ended with 2022 and are kept here for
history before that, only if they are asked for as such.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from fleet.errors import RequestError

__all__ = ["SpotRequest"]

BLOCK_MINUTES = (60, 120, 180, 240, 300, 360)
MOST_INSTANCES = 3000


@dataclass(frozen=True)
class SpotRequest:
    """What RequestSpotInstances asks for; each instance is a request of its own.

    Parameters
    ----------
    instance_type
        Such as ``m5.large``.
    availability_zone
        ``None``: any zone that the market has prices for; EC2 chooses, here the cheapest that has room.
    instance_count
        1 to 3000.
    persistent
        Whether a request opens again after an interruption (``persistent``) or is closed (``one-time``).
    max_price
        $ per instance-hour (AWS: SpotPrice); ``None``: the on-demand price.
    interruption_behavior
        ``terminate``, ``stop`` or ``hibernate``; the latter two need a persistent request.
    valid_from, valid_until
        Aware datetimes. Nothing is fulfilled before the one or from the other on; by default at once, for
        seven days.
    block_minutes
        A Spot block of 60 to 360 minutes, never interrupted, ended at its end; needs ``legacy_blocks``.
    block_price
        $ per instance-hour of the block. EC2's block prices are not in its price history: without one the
        Spot price at launch stands for it, a proxy that is too low.
    legacy_blocks
        That Spot blocks, which EC2 no longer sells, are meant.
    product
        The operating system, where an answer of DescribeSpotInstanceRequests says it; the API's own request
        leaves it to the image.
    notes
        What the reader saw and left out of account, one line each.
    """

    instance_type: str
    availability_zone: str | None = None
    instance_count: int = 1
    persistent: bool = False
    max_price: float | None = None
    interruption_behavior: str = "terminate"
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    block_minutes: int | None = None
    block_price: float | None = None
    legacy_blocks: bool = False
    product: str | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong, rule = f"InstanceCount {self.instance_count}", f"is from 1 to {MOST_INSTANCES}"
        if self.instance_count < 1:
            raise RequestError(wrong, rule, "correct it").with_code("InvalidParameterValue")
        if self.instance_count > MOST_INSTANCES:
            raise RequestError(wrong, rule, "split the request").with_code("RequestResourceCountExceeded")
        if self.interruption_behavior not in ("terminate", "stop", "hibernate"):
            raise RequestError(
                f"InstanceInterruptionBehavior {self.interruption_behavior!r}",
                "is one of terminate, stop, hibernate",
                "correct it",
            )
        if self.interruption_behavior != "terminate" and not self.persistent:
            raise RequestError(
                f"InstanceInterruptionBehavior {self.interruption_behavior} with a one-time request",
                "needs a persistent one",
                "make it persistent",
            )
        if self.max_price is not None and not self.max_price > 0:
            raise RequestError(f"SpotPrice {self.max_price:g}", "is above 0", "correct or drop it")
        for what, moment in (("ValidFrom", self.valid_from), ("ValidUntil", self.valid_until)):
            if moment is not None and moment.tzinfo is None:
                raise RequestError(f"{what} {moment}", "a time names its zone", "add Z or +00:00")
        self._check_block()

    def _check_block(self) -> None:
        price = self.block_price
        if price is not None and not (math.isfinite(price) and price > 0):
            raise RequestError(f"block price {price:g}", "is a number above 0", "correct or drop it")
        if self.block_minutes is None:
            return
        if self.block_minutes not in BLOCK_MINUTES:
            raise RequestError(
                f"BlockDurationMinutes {self.block_minutes}",
                f"is one of {', '.join(map(str, BLOCK_MINUTES))}",
                "correct it",
            )
        if not self.legacy_blocks:
            raise RequestError(
                "BlockDurationMinutes", "is no longer sold (since 2023)", "say legacy_blocks=True for history"
            )
        if self.interruption_behavior != "terminate":
            raise RequestError("a Spot block", "is terminated at its end", "drop the behavior")
