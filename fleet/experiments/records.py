"""One replay of an experiment: what was asked, and the numbers that are kept of its result."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from fleet.replayer.result import ReplayResult

__all__ = ["Run", "RunRecord"]


@dataclass(frozen=True)
class Run:
    """One combination: a strategy (by its place in the question), a window, a seed; small, it travels."""

    strategy: int
    start_s: int
    end_s: int
    seed: int
    key: str


@dataclass(frozen=True)
class RunRecord:
    """The numbers of one run, named as in `fleet.ReplayResult`; ``None`` means not known.

    Parameters
    ----------
    key
        Digest of all that the run depends on (see `fleet.experiments.identity`).
    """

    key: str
    strategy: str
    start_s: int
    end_s: int
    seed: int
    target_capacity: float
    cost: float
    on_demand_cost: float | None
    saving: float | None
    unit_hours: float
    cost_per_unit_hour: float | None
    interruptions: int
    interrupted_instance_share: float | None
    launches: int
    availability: float | None
    mean_fill: float | None
    shortfall_unit_hours: float
    longest_outage_s: int
    hindsight_cost: float | None
    regret: float | None
    pools_used: int
    max_pool_share: float | None
    billing: str
    interruption_driver: str
    warnings: str

    @classmethod
    def of(cls, run: Run, label: str, result: ReplayResult) -> RunRecord:
        """Keep the numbers of a result."""
        own: dict[str, Any] = {
            "key": run.key,
            "strategy": label,
            "seed": run.seed,
            "warnings": "\n".join(result.warnings),
            "target_capacity": float(result.target_capacity),
        }
        return cls(
            **own,
            **{field.name: getattr(result, field.name) for field in fields(cls) if field.name not in own},
        )
