"""Many replays of one request: windows, seeds, strategies, a null model; on one core or on a cluster."""

from fleet.experiments.experiment import Experiment
from fleet.experiments.intervals import Interval
from fleet.experiments.many import replay_many
from fleet.experiments.null_model import RandomPools, percentile_among
from fleet.experiments.progress import Progress
from fleet.experiments.windows import Windows

__all__ = [
    "Experiment",
    "Interval",
    "Progress",
    "RandomPools",
    "Windows",
    "percentile_among",
    "replay_many",
]
