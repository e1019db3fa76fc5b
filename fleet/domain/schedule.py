"""What is done to a fleet while it runs: target changes, cancellation; and how good EC2's warnings are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from fleet.domain.exact_numbers import to_nano_scalar
from fleet.errors import RequestError

__all__ = ["Cancellation", "RebalanceSignals", "Schedule", "TargetChange"]


@dataclass(frozen=True)
class TargetChange:
    """A ModifySpotFleetRequest (ModifyFleet).

    Parameters
    ----------
    at_s
        When, seconds UTC.
    target_capacity
        Units in all from then on, Spot and on-demand.
    on_demand_target_capacity
        Units on demand from then on; ``None`` leaves them as they are.
    terminate_excess
        ExcessCapacityTerminationPolicy from then on: whether a lowered target ends instances; ``None`` leaves
        it as it is.
    """

    at_s: int
    target_capacity: float
    on_demand_target_capacity: float | None = None
    terminate_excess: bool | None = None

    def __post_init__(self) -> None:
        for what, value in (
            ("TargetCapacity", self.target_capacity),
            ("OnDemandTargetCapacity", self.on_demand_target_capacity),
        ):
            if value is None:
                continue
            if not (math.isfinite(value) and value >= 0):
                raise RequestError(f"{what} {value:g} in a change", "is a number from 0", "correct it")
            to_nano_scalar(value, what)


@dataclass(frozen=True)
class Cancellation:
    """A CancelSpotFleetRequests (DeleteFleets).

    Parameters
    ----------
    at_s
        When, seconds UTC.
    terminate_instances
        Whether instances are ended, Spot and on-demand (``cancelled_terminating``), or run on
        (``cancelled_running``). Stopped ones are ended either way.
    """

    at_s: int
    terminate_instances: bool


@dataclass(frozen=True)
class Schedule:
    """All that is done to a fleet, in order of time.

    Raises
    ------
    RequestError
        If changes are not in rising order of time, or come when the fleet is cancelled.
    """

    changes: tuple[TargetChange, ...] = ()
    cancellation: Cancellation | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", tuple(self.changes))
        for before, after in pairwise(self.changes):
            if after.at_s <= before.at_s:
                raise RequestError(
                    f"a change at {after.at_s} after one at {before.at_s}", "times rise", "sort the changes"
                )
        if self.changes and self.cancellation and self.changes[-1].at_s >= self.cancellation.at_s:
            error = RequestError(
                f"a change at {self.changes[-1].at_s}", "comes before the cancellation", "drop it"
            )
            error.code = "FleetNotInModifiableState"
            raise error


@dataclass(frozen=True)
class RebalanceSignals:
    """How EC2's rebalance recommendations relate to what then happens; drawn from the replay's seed.

    EC2 promises best effort only: a recommendation may come well ahead of a notice, with it, not at all, or
    without one. What of it holds in practice is not published: these are assumptions to vary.

    Parameters
    ----------
    ahead_s
        Mean of the exponential time from recommendation to notice, seconds; 0: with the notice.
    missed
        Share of the instances that get none before or with their notice, 0 to 1.
    false_alarms_per_hour
        Recommendations that nothing follows, per instance-hour.
    """

    ahead_s: float = 600.0
    missed: float = 0.1
    false_alarms_per_hour: float = 0.01

    def __post_init__(self) -> None:
        for name in ("ahead_s", "false_alarms_per_hour"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise RequestError(f"{name} of {value:g}", "is a number from 0", "correct it")
        if not 0 <= self.missed <= 1:
            raise RequestError(f"missed of {self.missed:g}", "is a share from 0 to 1", "correct it")
