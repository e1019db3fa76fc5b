"""Launch pools: instance type x product x availability zone, one array a column.

A pool is where EC2 has (or lacks) Spot capacity. Its weight says how many units of the target
capacity one instance serves; on-demand price, max price and priority are facts of the pool in a
request, aligned with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeGuard, TypeVar, cast

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, on_grid
from fleet.errors import InputError

__all__ = [
    "IN_VPC",
    "LaunchPools",
    "PoolKey",
    "base_product",
    "family_of",
    "frozen_floats",
    "frozen_texts",
    "is_region",
    "is_zone_id",
    "read_only",
    "region_of",
]

Texts = npt.NDArray[np.object_]
PoolKey = tuple[str, str, str]
"""(instance type, availability zone, product)."""
IN_VPC = " (Amazon VPC)"
"""What the price history of accounts that had EC2-Classic adds to a product."""
REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d+")
ZONE_ID = re.compile(r"([a-z]{2}|usg)(n|s|e|w|c|ne|nw|se|sw)(\d+)(?:-[a-z]+\d+)?-az\d+")
"""A part of the world, a direction and a number of the region; of a local zone also its place."""
PARTS = {"usg": "us-gov"}
COMPASS = {
    "n": "north", "s": "south", "e": "east", "w": "west", "c": "central",
    "ne": "northeast", "nw": "northwest", "se": "southeast", "sw": "southwest",
}  # fmt: skip


def family_of(instance_type: str) -> str:
    """Return the family of an instance type: ``m5d`` of ``m5d.large``."""
    return instance_type.partition(".")[0]


def is_region(place: str) -> bool:
    """Whether a pool's place is a region: prices that name no zone are known so."""
    return REGION.fullmatch(place) is not None


def is_zone_id(place: str) -> bool:
    """Whether a pool's place is a zone ID, such as ``use1-az4``."""
    return ZONE_ID.fullmatch(place) is not None


def base_product(product: str) -> str:
    """Return the operating system of a product: ``Linux/UNIX`` of ``Linux/UNIX (Amazon VPC)``."""
    return product.removesuffix(IN_VPC)


def region_of(availability_zone: str) -> str:
    """Return the region of a zone: ``us-east-1`` of ``us-east-1a``, ``us-east-1-bos-1a`` or ``use1-az4``."""
    by_id = ZONE_ID.fullmatch(availability_zone)
    if by_id is not None:
        return f"{PARTS.get(by_id[1], by_id[1])}-{COMPASS[by_id[2]]}-{by_id[3]}"
    named = REGION.match(availability_zone)
    if named is not None:
        return named[0]
    return availability_zone.rstrip("abcdefghijklmnopqrstuvwxyz") or availability_zone


def is_column(values: npt.ArrayLike) -> TypeGuard[Floats]:
    """Whether values are a float64 array of one dimension or more."""
    return type(values) is np.ndarray and values.dtype == np.float64 and values.ndim > 0


def frozen_floats(values: npt.ArrayLike) -> Floats:
    """Return a read-only float64 copy; an array that is already read-only is not copied."""
    if is_column(values) and values.base is None and not values.flags.writeable:
        return values
    column = np.array(values, dtype=np.float64, copy=True, ndmin=1)
    column.flags.writeable = False
    return column


def read_only(values: npt.ArrayLike) -> Floats:
    """Return a read-only float64 view, without a copy where there is nothing to convert."""
    if is_column(values):
        if not values.flags.writeable:
            return values
        column = values.view()
    else:
        column = np.atleast_1d(np.asarray(values, dtype=np.float64)).view()
    column.flags.writeable = False
    return column


def frozen_texts(values: Iterable[str]) -> Texts:
    """Return a read-only object array of strings."""
    items = list(values)
    column = np.empty(len(items), dtype=object)
    column[:] = items
    column.flags.writeable = False
    return column


T = TypeVar("T")


class WhenRead(Generic[T]):
    """A field of a dataclass that may be given as a function: found when it is first read, and kept.

    Most decisions never ask how deep the pools are, say. ``default`` is that of the field, if it has one.
    """

    def __init__(self, *default: T) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.slot = f"_{name}"

    def __get__(self, holder: object, owner: type) -> T:
        if holder is None:
            if self.default:
                return self.default[0]
            raise AttributeError(self.slot)  # so dataclasses see a field without a default
        value = holder.__dict__[self.slot]
        if callable(value):
            value = holder.__dict__[self.slot] = value()
        return cast(T, value)

    def __set__(self, holder: object, value: T | Callable[[], T]) -> None:
        holder.__dict__[self.slot] = value


@dataclass(frozen=True, eq=False, repr=False)
class LaunchPools:
    """The pools of one request, as read-only columns of equal length n.

    Parameters
    ----------
    instance_type, availability_zone, product
        Text columns; the three together are the pool's identity and occur once.
    weight
        Units that an instance serves (AWS: WeightedCapacity), > 0.
    on_demand_price
        $ per instance-hour; nan where it is not known (unknown is not zero).
    max_price
        Most that is paid, $ per unit-hour (AWS: SpotPrice or MaxPrice); nan where none is stated.
    priority
        Lower comes first; inf where it is not set (AWS: unset is last).
    """

    instance_type: Texts
    availability_zone: Texts
    product: Texts
    weight: Floats
    on_demand_price: Floats
    max_price: Floats
    priority: Floats
    _index: dict[PoolKey, int] = field(init=False)

    def __post_init__(self) -> None:
        for name in ("instance_type", "availability_zone", "product"):
            object.__setattr__(self, name, frozen_texts(getattr(self, name)))
        for name in ("weight", "on_demand_price", "max_price", "priority"):
            object.__setattr__(self, name, frozen_floats(getattr(self, name)))
            if len(getattr(self, name)) != len(self.instance_type):
                raise InputError(f"column {name!r}", "columns of launch pools have equal length")
        if bool((~(self.weight > 0)).any()):
            value = float(self.weight[~(self.weight > 0)][0])
            raise InputError(f"weight {value:g}", "a weight is above 0", "correct WeightedCapacity")
        index = {key: i for i, key in enumerate(self.keys())}
        if len(index) != len(self.instance_type):
            seen: set[PoolKey] = set()
            double = next(k for k in self.keys() if k in seen or seen.add(k))  # type: ignore[func-returns-value]
            raise InputError(
                f"launch pool {' '.join(double)}", "is listed twice", "list each type and zone once"
            )
        object.__setattr__(self, "_index", index)

    @classmethod
    def of(
        cls,
        instance_type: Sequence[str],
        availability_zone: Sequence[str] | str = "zone-a",
        product: Sequence[str] | str = "Linux/UNIX",
        *,
        weight: npt.ArrayLike = 1.0,
        on_demand_price: npt.ArrayLike = np.nan,
        max_price: npt.ArrayLike = np.nan,
        priority: npt.ArrayLike = np.inf,
    ) -> LaunchPools:
        """Build pools from columns, repeating single values."""
        n = len(instance_type)

        def texts(values: Sequence[str] | str) -> Texts:
            return frozen_texts([values] * n if isinstance(values, str) else values)

        def floats(values: npt.ArrayLike) -> Floats:
            return np.broadcast_to(np.asarray(values, dtype=np.float64), (n,))

        return cls(
            frozen_texts(instance_type),
            texts(availability_zone),
            texts(product),
            floats(weight),
            floats(on_demand_price),
            floats(max_price),
            floats(priority),
        )

    @cached_property
    def bid_ceiling(self) -> Floats:
        """Shape (n,), the most that is paid, $ per instance-hour: a Spot price above it interrupts.

        The stated max price times the weight, else the on-demand price (AWS's default max price), else inf.
        """
        stated = on_grid(self.max_price * self.weight)
        return read_only(np.where(np.isnan(stated), self.on_demand_ceiling, stated))

    @cached_property
    def launch_ceiling(self) -> Floats:
        """Shape (n,), the highest Spot price at which the fleet still launches, $ per instance-hour.

        AWS leaves out a pool whose Spot price is above the max price *or* above on-demand.
        """
        return read_only(np.minimum(self.bid_ceiling, self.on_demand_ceiling))

    @cached_property
    def boundless(self) -> Floats:
        """Shape (n,), inf: what the pools hold where nothing is known to bound them."""
        return frozen_floats(np.full(len(self), np.inf))

    @cached_property
    def priority_or_last(self) -> Floats:
        """Shape (n,), the priorities, what is unset just after the last that is set (AWS: unset is last)."""
        stated = self.priority[np.isfinite(self.priority)]
        return read_only(np.where(np.isfinite(self.priority), self.priority, stated.max(initial=0.0) + 1.0))

    @property
    def on_demand_ceiling(self) -> Floats:
        """Shape (n,), the on-demand price, inf where it is not known."""
        return np.where(np.isnan(self.on_demand_price), np.inf, self.on_demand_price)

    def __len__(self) -> int:
        return len(self.instance_type)

    def __repr__(self) -> str:
        return f"LaunchPools({len(self)} pools, {len(set(self.instance_type))} types)"

    def keys(self) -> Iterable[PoolKey]:
        """Yield each pool's identity, in order."""
        return zip(self.instance_type, self.availability_zone, self.product, strict=True)

    def index(self, key: PoolKey) -> int:
        """Return the position of a pool; KeyError if it is not here."""
        return self._index[key]

    def label(self, i: int) -> str:
        """Return ``type zone`` of pool ``i`` for people."""
        return f"{self.instance_type[i]} {self.availability_zone[i]}"

    def take(self, rows: npt.NDArray[Any]) -> LaunchPools:
        """Return the pools at ``rows`` (positions or a boolean mask)."""
        return LaunchPools(
            self.instance_type[rows],
            self.availability_zone[rows],
            self.product[rows],
            self.weight[rows],
            self.on_demand_price[rows],
            self.max_price[rows],
            self.priority[rows],
        )
