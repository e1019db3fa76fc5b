"""The replay engine: a fleet request and a strategy through a market, into an event log."""

from fleet.replayer.engine import Engine
from fleet.replayer.log import EventKind, EventLog, InstanceTable, Reason
from fleet.replayer.planned import LaunchPlan, PlannedEngine
from fleet.replayer.prepared import PreparedMarket
from fleet.replayer.requests import RequestEngine, StatusChange

__all__ = [
    "Engine",
    "EventKind",
    "EventLog",
    "InstanceTable",
    "LaunchPlan",
    "PlannedEngine",
    "PreparedMarket",
    "Reason",
    "RequestEngine",
    "StatusChange",
]
