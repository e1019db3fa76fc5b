"""The replay engine: a fleet request and a strategy through a market, into an event log."""

from fleet.replay_engine.engine import Engine
from fleet.replay_engine.launch_plan import LaunchPlan, PlannedEngine
from fleet.replay_engine.prepared_market import PreparedMarket
from fleet.replay_engine.settings import ReplayKeywords, ReplaySettings
from fleet.replay_engine.span import replay_span
from fleet.replay_engine.spot_request_engine import RequestEngine, StatusChange

__all__ = [
    "Engine",
    "LaunchPlan",
    "PlannedEngine",
    "PreparedMarket",
    "ReplayKeywords",
    "ReplaySettings",
    "RequestEngine",
    "StatusChange",
    "replay_span",
]
