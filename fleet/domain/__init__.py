"""The words of the field as types: pools, requests, markets, schedules, and the log of what happened."""

from fleet.domain.event_log import EventKind, EventLog, InstanceTable, Reason
from fleet.domain.expansion import Expansion, expand
from fleet.domain.filters import at_baseline, hibernating_only, placeable_only
from fleet.domain.instance_types import Catalogue, InstanceType
from fleet.domain.market import ChangePoints, Market
from fleet.domain.pools import LaunchPools
from fleet.domain.request import FleetRequest, Override
from fleet.domain.requirements import InstanceRequirements, RequirementsLine
from fleet.domain.resolution import ResolvedRequest, resolve
from fleet.domain.schedule import Cancellation, RebalanceSignals, Schedule, TargetChange
from fleet.domain.snapshot import Snapshot, snapshot_at
from fleet.domain.spot_request import SpotRequest

__all__ = [
    "Cancellation",
    "Catalogue",
    "ChangePoints",
    "EventKind",
    "EventLog",
    "Expansion",
    "FleetRequest",
    "InstanceRequirements",
    "InstanceTable",
    "InstanceType",
    "LaunchPools",
    "Market",
    "Override",
    "Reason",
    "RebalanceSignals",
    "RequirementsLine",
    "ResolvedRequest",
    "Schedule",
    "Snapshot",
    "SpotRequest",
    "TargetChange",
    "at_baseline",
    "expand",
    "hibernating_only",
    "placeable_only",
    "resolve",
    "snapshot_at",
]
