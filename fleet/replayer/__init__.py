"""Replays: a fleet request through market history, what came of it, and several side by side."""

from fleet.replayer.comparison import Comparison, compare
from fleet.replayer.hindsight_run import hindsight_optimum, replay_hindsight
from fleet.replayer.result import ReplayResult
from fleet.replayer.run import replay
from fleet.replayer.spot_request_result import SpotRequestResult
from fleet.replayer.spot_request_run import replay_spot_request

__all__ = [
    "Comparison",
    "ReplayResult",
    "SpotRequestResult",
    "compare",
    "hindsight_optimum",
    "replay",
    "replay_hindsight",
    "replay_spot_request",
]
