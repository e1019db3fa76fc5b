"""How much ran, against what was wanted: availability, shortfall, outages and how long they took to mend.

Running units are a step function: an instance counts from ``launch + start delay`` until it is gone. T(t)
is the target in units, q(t) the running units, l(t) the launched (billed) ones; (x)+ is max(x, 0). Time is
weighed by its length: nothing is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleet.domain.event_log import InstanceTable
from fleet.domain.exact_numbers import Floats, Ints, on_grid

__all__ = [
    "CapacityCurve",
    "Target",
    "attainment",
    "availability",
    "capacity_curve",
    "depth_quantile",
    "expected_shortfall",
    "fulfilment_wait_s",
    "longest_outage_s",
    "max_depth",
    "mean_fill",
    "mean_time_to_restore_s",
    "outages",
    "shortfall_cvar",
    "shortfall_hours",
    "shortfall_unit_hours",
    "slo_miss",
    "time_to_target_s",
]

HOUR_S = 3600


@dataclass(frozen=True, eq=False)
class CapacityCurve:
    """Units as a step function: ``units[k]`` from ``times_s[k]`` to ``times_s[k + 1]``.

    ``times_s`` has one entry more than ``units``: the end.
    """

    times_s: Ints
    units: Floats

    @property
    def lengths_s(self) -> Ints:
        """How long each step lasts."""
        return np.diff(self.times_s)

    @property
    def span_s(self) -> int:
        """How long the curve lasts."""
        return int(self.times_s[-1] - self.times_s[0])

    def at(self, times_s: Ints) -> Floats:
        """Return the units at each time within the curve."""
        rows = np.searchsorted(self.times_s, times_s, side="right") - 1
        return self.units[np.clip(rows, 0, len(self.units) - 1)]


Target = float | CapacityCurve
"""Units wanted: one number, or a step function where the target changes."""


def capacity_curve(
    table: InstanceTable, weight: Floats, start_s: int, end_s: int, start_delay_s: int = 0
) -> CapacityCurve:
    """Return q(t), the units that run, Spot and on-demand.

    Parameters
    ----------
    weight
        Shape (n,), units an instance of each pool.
    """
    ready = np.minimum(table.launch_s + start_delay_s, table.end_s)
    moments = np.concatenate((ready, table.end_s, [start_s, end_s]))
    change = np.concatenate((weight[table.pool], -weight[table.pool], [0.0, 0.0]))
    times, step = np.unique(moments, return_inverse=True)
    units = on_grid(np.cumsum(np.bincount(step, weights=change, minlength=len(times))))
    if len(times) == 1:
        return CapacityCurve(np.repeat(times, 2), units)
    return CapacityCurve(times, units[:-1])


def aligned(curve: CapacityCurve, target: Target) -> tuple[Ints, Floats, Floats]:
    """Return common times (k + 1,), q and T between them, (k,) each."""
    if not isinstance(target, CapacityCurve):
        return curve.times_s, curve.units, np.full(len(curve.units), float(target))
    if curve.span_s == 0:
        return curve.times_s, curve.units, target.at(curve.times_s[:-1])
    first, last = curve.times_s[0], curve.times_s[-1]
    inside = target.times_s[(target.times_s > first) & (target.times_s < last)]
    times = np.unique(np.concatenate((curve.times_s, inside)))
    return times, curve.at(times[:-1]), target.at(times[:-1])


def depths(curve: CapacityCurve, target: Target) -> tuple[Floats, Ints]:
    """Return (T - q)+ of each step, units, and how long each lasts, seconds."""
    times, q, wanted = aligned(curve, target)
    return np.maximum(wanted - q, 0.0), np.diff(times)


def availability(curve: CapacityCurve, target: Target) -> float | None:
    """A1: share of the time in which q >= T, from 0 to 1; ``None`` for an empty span.

    Source: the availability of Mao et al., "SkyServe" (EuroSys 2025).
    """
    if curve.span_s == 0:
        return None
    depth, lengths = depths(curve, target)
    return float(lengths[depth == 0].sum() / curve.span_s)


def mean_fill(curve: CapacityCurve, target: Target) -> float | None:
    """A2: integral of min(q, T) / that of T, from 0 to 1; 1 for a target of 0, ``None`` for an empty span."""
    if curve.span_s == 0:
        return None
    times, q, wanted = aligned(curve, target)
    lengths = np.diff(times)
    asked = float((wanted * lengths).sum())
    return float((np.minimum(q, wanted) * lengths).sum() / asked) if asked > 0 else 1.0


def attainment(curve: CapacityCurve, target: Target, share: float) -> float | None:
    """k-of-N: share of the time in which q >= share x T, from 0 to 1; ``None`` for an empty span."""
    if curve.span_s == 0:
        return None
    times, q, wanted = aligned(curve, target)
    enough = q >= on_grid(share * wanted)
    return float(np.diff(times)[enough].sum() / curve.span_s)


def shortfall_unit_hours(curve: CapacityCurve, target: Target) -> float:
    """Integral of (T - q)+, in unit-hours."""
    depth, lengths = depths(curve, target)
    return float((depth * lengths).sum() / HOUR_S)


def expected_shortfall(curve: CapacityCurve, target: Target) -> float | None:
    """E[(T - q)+]: time mean of the shortfall, in units; ``None`` for an empty span."""
    if curve.span_s == 0:
        return None
    return shortfall_unit_hours(curve, target) * HOUR_S / curve.span_s


def shortfall_hours(curve: CapacityCurve, target: Target) -> float:
    """Time with q < T, in hours."""
    depth, lengths = depths(curve, target)
    return float(lengths[depth > 0].sum() / HOUR_S)


def max_depth(curve: CapacityCurve, target: Target) -> float:
    """Largest (T - q)+ that lasted at all, in units."""
    depth, lengths = depths(curve, target)
    return float(depth[lengths > 0].max(initial=0.0))


def depth_quantile(curve: CapacityCurve, target: Target, share: float) -> float | None:
    """Least depth d such that (T - q)+ <= d for at least ``share`` of the time, in units."""
    if curve.span_s == 0:
        return None
    depth, lengths = depths(curve, target)
    order = np.argsort(depth, kind="stable")
    below = np.cumsum(lengths[order])
    k = int(np.searchsorted(below, share * curve.span_s))
    return float(depth[order][min(k, len(order) - 1)])


def shortfall_cvar(curve: CapacityCurve, target: Target, beta: float = 0.95) -> float | None:
    """CVaR_beta of (T - q)+: its mean over the worst 1 - beta of the time, in units.

    Source: Rockafellar and Uryasev, "Optimization of conditional value-at-risk" (2000), time as the measure.
    """
    if curve.span_s == 0:
        return None
    depth, lengths = depths(curve, target)
    order = np.argsort(-depth, kind="stable")
    tail_s = (1.0 - beta) * curve.span_s
    before = np.cumsum(lengths[order]) - lengths[order]
    taken = np.clip(tail_s - before, 0.0, lengths[order])
    return float((depth[order] * taken).sum() / tail_s) if tail_s > 0 else max_depth(curve, target)


def slo_miss(curve: CapacityCurve, target: Target, theta: float = 0.05) -> float | None:
    """Share of the time in which (T - q) / T > theta, from 0 to 1; ``None`` for an empty span."""
    if curve.span_s == 0:
        return None
    times, q, wanted = aligned(curve, target)
    missed = wanted - q > on_grid(theta * wanted)
    return float(np.diff(times)[missed].sum() / curve.span_s)


def outages(curve: CapacityCurve, target: Target) -> tuple[Ints, Ints]:
    """Return begin and end of each maximal time with q < T, seconds UTC, shape (outages,) each."""
    times, q, wanted = aligned(curve, target)
    some = np.append(np.diff(times) > 0, True)
    times, below = times[some], np.append((q < wanted)[some[:-1]], False)
    before: npt.NDArray[np.bool_] = np.append(False, below[:-1])
    return times[below & ~before], times[~below & before]


def longest_outage_s(curve: CapacityCurve, target: Target) -> int:
    """Longest unbroken time with q < T, in seconds."""
    begins, ends = outages(curve, target)
    return int((ends - begins).max(initial=0))


def mean_time_to_restore_s(curve: CapacityCurve, target: Target) -> float | None:
    """MTTR: mean time from a loss to q >= T again, in seconds; ``None`` if nothing was lost and restored.

    The first fill is no loss, and an outage that lasts to the end is censored: neither counts.
    """
    begins, ends = outages(curve, target)
    whole = (begins > curve.times_s[0]) & (ends < curve.times_s[-1])
    return float((ends - begins)[whole].mean()) if whole.any() else None


def time_to_target_s(curve: CapacityCurve, target: Target) -> float | None:
    """Time from the start until q >= T for the first time, in seconds; ``None`` if that never came."""
    times, q, wanted = aligned(curve, target)
    reached = np.flatnonzero((q >= wanted) & (np.diff(times) > 0))
    return float(times[reached[0]] - times[0]) if len(reached) else None


def fulfilment_wait_s(launched: CapacityCurve, target: Target, launched_units: float) -> float | None:
    """Mean time for which a missing unit waited for its launch, in seconds; ``None`` without launches.

    Integral of (T - l)+ / units launched (Little's law); what is missing at the end has waited until then.
    """
    if launched_units <= 0:
        return None
    return shortfall_unit_hours(launched, target) * HOUR_S / launched_units
