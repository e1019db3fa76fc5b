"""The cheapest plan for a job when the whole trace is known: exact, and billed by the simulator as claimed.

One start is one pass over the lattice. Many starts share passes: windows that contain one anchor tick are
split there, and all of them are put together from one pass back and one pass forward for each mode at the
anchor.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.errors import CheckError
from fleet.io.capacity.trace_set import TraceSet
from fleet.workloads.jobs.job import IDLE, Job
from fleet.workloads.jobs.lattice import Lattice, lattice_of
from fleet.workloads.jobs.simulator import JobRuns, planned

__all__ = ["clairvoyant", "clairvoyant_plan"]

Bools = npt.NDArray[np.bool_]
Modes = npt.NDArray[np.int8]


def clairvoyant_plan(job: Job, traces: TraceSet, start: int = 0) -> tuple[float, Modes]:
    """Return the cheapest plan from one start.

    Returns
    -------
    cost, modes
        $, and shape (horizon,): a zone, `ON_DEMAND` or `IDLE` in each interval.
    """
    horizon = job.horizon(traces.gap_s)
    up = traces.cut(start, horizon).up(job.nodes)
    return one_plan(lattice_of(job, traces), up)


def one_plan(lattice: Lattice, up: Bools) -> tuple[float, Modes]:
    """Return the cheapest plan over these intervals, by one pass forwards and one way back."""
    history = lattice.forward(up, lattice.idle)
    costs, ends, losses = lattice.at_deadline(history[-1])
    mode, lost = int(ends[-1]), int(losses[-1])
    modes = [mode] * len(up)
    for tick in range(len(up), 0, -1):
        modes[tick - 1] = mode
        mode, lost = lattice.back_one(history[tick - 1], mode, lost)
    return float(costs[-1]), lattice.words(modes)


def clairvoyant(job: Job, traces: TraceSet, starts: Ints) -> JobRuns:
    """Return the cheapest plan from each start, run through the simulator.

    Raises
    ------
    CheckError
        If the simulator bills a plan at anything but what the optimizer claimed, or it is late: a defect.
    """
    horizon = job.horizon(traces.gap_s)
    lattice, up = lattice_of(job, traces), traces.up(job.nodes)
    claimed = np.empty(len(starts))
    modes = np.empty((len(starts), horizon), dtype=np.int8)
    for block in blocks(starts, horizon):
        if len(block) <= 2 * lattice.modes:
            for i in block.tolist():
                claimed[i], modes[i] = one_plan(lattice, up[starts[i] : starts[i] + horizon])
        else:
            claimed[block], modes[block] = through_anchor(lattice, up, starts[block], horizon)
    runs = planned(job, traces, modes, starts)
    wrong = (runs.finish_s < 0) | (np.abs(runs.cost - claimed) > 1e-9 * np.maximum(1.0, claimed))
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        raise CheckError(
            f"plan from tick {starts[i]}: claimed ${claimed[i]!r}, billed ${runs.cost[i]!r}",
            "the simulator bills a plan at what the optimizer claimed",
            "report this",
        )
    return runs


def blocks(starts: Ints, horizon: int) -> list[Ints]:
    """Return positions of starts, grouped such that all windows of a group contain its last start."""
    order = np.argsort(starts, kind="stable")
    groups, first = [], 0
    while first < len(order):
        end = int(np.searchsorted(starts[order], starts[order[first]] + horizon, side="right"))
        groups.append(order[first:end])
        first = end
    return groups


def through_anchor(lattice: Lattice, up: Bools, starts: Ints, horizon: int) -> tuple[Floats, Modes]:
    """Return the cheapest plans of ascending starts whose windows all contain the last, the anchor."""
    first, anchor = int(starts[0]), int(starts[-1])
    cost = np.full(len(starts), np.inf)
    modes = np.full((len(starts), horizon), IDLE, dtype=np.int8)
    for mode in range(lattice.modes):
        before = lattice.backward(up[first:anchor], mode)
        after = lattice.forward(up[anchor : anchor + horizon], mode)
        split = splits(lattice, before[starts - first, lattice.idle], after, starts + horizon - anchor)
        better = np.flatnonzero(split[0] < cost)
        if len(better):
            cost[better] = split[0][better]
            lost, end_mode, end_lost = (column[better] for column in split[1:])
            chosen = modes[better]
            chosen[:] = IDLE
            fill_before(lattice, before, up[first:], starts[better] - first, anchor - first, lost, chosen)
            fill_after(lattice, after, anchor - starts[better], end_mode, end_lost, chosen)
            modes[better] = chosen
    return cost, modes


def splits(lattice: Lattice, before: Floats, after: Floats, ends: Ints) -> tuple[Floats, Ints, Ints, Ints]:
    """Return, for each start, the least cost and where its lost time is lost.

    Parameters
    ----------
    before
        Shape (n, budget + 1), $ from each start to the anchor by units lost.
    after
        The history from the anchor.
    ends
        Shape (n,), ticks from the anchor to each deadline.

    Returns
    -------
    cost, lost, end_mode, end_lost
        Shape (n,): $; units lost before the anchor; mode and units lost after it, at the deadline.
    """
    n = len(ends)
    cost, lost = np.empty(n), np.empty(n, dtype=np.int64)
    end_mode, end_lost = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for i, end in enumerate(ends.tolist()):
        value, mode, units = lattice.at_deadline(after[end])
        total = before[i] + value[::-1]
        at = int(total.argmin())
        rest = lattice.budget - at
        cost[i], lost[i], end_mode[i], end_lost[i] = total[at], at, mode[rest], units[rest]
    return cost, lost, end_mode, end_lost


def fill_before(
    lattice: Lattice, history: Floats, up: Bools, starts: Ints, anchor: int, lost: Ints, modes: Modes
) -> None:
    """Write what runs from each start to the anchor, following the pass back."""
    mode, left = np.full(len(starts), lattice.idle), lost.copy()
    for tick in range(int(starts.min(initial=anchor)), anchor):
        on = np.flatnonzero(starts <= tick)
        mode[on], left[on] = lattice.next_step(history[tick + 1], up[tick], mode[on], left[on])
        modes[on, tick - starts[on]] = lattice.words(mode[on])


def fill_after(
    lattice: Lattice, history: Floats, offset: Ints, end_mode: Ints, end_lost: Ints, modes: Modes
) -> None:
    """Write what runs from the anchor to each deadline, following the pass forward."""
    mode, lost = end_mode.copy(), end_lost.copy()
    ends = modes.shape[1] - offset
    for tick in range(int(ends.max(initial=0)), 0, -1):
        on = np.flatnonzero(ends >= tick)
        modes[on, offset[on] + tick - 1] = lattice.words(mode[on])
        mode[on], lost[on] = lattice.back_step(history[tick - 1], mode[on], lost[on])
