"""What a schedule may do to a fleet of a request, and what of it a replay never sees."""

from __future__ import annotations

from fleet.domain.request import FleetRequest
from fleet.domain.schedule import Schedule
from fleet.errors import RequestError
from fleet.io import format_time

__all__ = ["check_begin", "check_schedule", "never_done"]


def check_schedule(schedule: Schedule | None, request: FleetRequest, start_s: int) -> None:
    """Refuse what EC2 does not let be done to a fleet of the request's type that starts at ``start_s``."""
    if schedule is None:
        return
    if schedule.changes and request.fleet_type != "maintain":
        error = RequestError(
            f"a target change of a fleet of Type {request.fleet_type}",
            "is not a modifiable fleet request type",
            "use Type maintain",
        )
        error.code = "FleetNotInModifiableState"
        raise error
    on_demand = request.on_demand_target_capacity
    for change in schedule.changes:
        if change.on_demand_target_capacity is not None:
            on_demand = change.on_demand_target_capacity
        if on_demand > change.target_capacity:
            raise RequestError(
                f"TargetCapacity {change.target_capacity:g} with {on_demand:g} on demand",
                "covers the on-demand part",
                "lower OnDemandTargetCapacity in the same change",
            )
    stops = schedule.cancellation
    if stops is not None and not stops.terminate_instances and request.fleet_type == "instant":
        error = RequestError("an instant fleet cancelled", "is terminated with its instances", "say so")
        error.code = "NoTerminateInstancesNotSupported"
        raise error
    check_begin(schedule, start_s)


def check_begin(schedule: Schedule, start_s: int) -> None:
    """Refuse what is done before there is anything: a replay starts with the request as it stands."""
    early = [("target change", change.at_s) for change in schedule.changes if change.at_s < start_s]
    if schedule.cancellation is not None and schedule.cancellation.at_s < start_s:
        early.append(("cancellation", schedule.cancellation.at_s))
    for what, at_s in early[:1]:
        raise RequestError(
            f"a {what} at {format_time(at_s)}",
            f"is done to a fleet that starts at {format_time(start_s)}",
            "start earlier, or drop it and state its outcome in the request",
        )


def never_done(schedule: Schedule | None, end_s: int) -> list[str]:
    """Return a note for what a schedule does at or after the end of a replay."""
    if schedule is None:
        return []
    late = [("target change", change.at_s) for change in schedule.changes if change.at_s >= end_s]
    if schedule.cancellation is not None and schedule.cancellation.at_s >= end_s:
        late.append(("cancellation", schedule.cancellation.at_s))
    return [f"the {what} at {format_time(at_s)} lies outside the replay" for what, at_s in late]
