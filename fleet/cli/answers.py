"""The numbers that a command's JSON answer holds: what ``--fail-if`` may name, and shells complete."""

from __future__ import annotations

from fleet.experiments.experiment import MEANS
from fleet.replayer.result import CONTRACT

__all__ = ["ALLOCATION", "EXPERIMENT", "JOB", "METRICS", "REPLAY", "REQUEST", "SERVICE", "SHARES"]

METRICS = (
    "cost", "spot_cost", "on_demand_part_cost", "stopped_storage_cost", "commitments_cost",
    "commitments_covered", "cost_per_hour", "cost_per_served_unit_hour", "saving", "break_even_discount",
    "hindsight_cost", "regret", "cost_ratio", "wasted_spend", "goodput", "spot_utilisation", "interruptions",
    "interruptions_per_100_instance_hours", "interruption_episodes", "instances_per_episode",
    "units_lost_per_episode", "largest_episode", "co_interruption_share", "voluntary_terminations",
    "obtainability", "instance_mttf", "instance_survival_1h", "instance_survival_24h",
    "instance_median_life", "censored_instances", "pool_mttf", "censored_pool_runs", "pool_down_time",
    "availability",
    "mean_fill", "attainment_90_percent", "slo_miss_5_percent", "shortfall", "expected_shortfall",
    "shortfall_hours", "max_depth", "depth_p95", "depth_p99", "shortfall_cvar_95", "outages",
    "longest_outage", "mean_time_to_restore", "time_to_target", "fulfilment_wait", "concentration",
    "effective_pools", "largest_pool_loss", "largest_pool_loss_share", "pool_outage_correlation",
    "pool_outage_correlation_max", "churn", "hops",
)  # fmt: skip
"""What `fleet.ReplayResult.metrics` has (a test holds them equal)."""

TEXTS = ("strategy", "start", "end", "billing", "interruption_driver", "warnings")
REPLAY = (*(name for name in CONTRACT if name not in TEXTS), *(f"metrics.{name}" for name in METRICS))
ALLOCATION = (
    "target_capacity", "fulfilled_capacity", "cost_per_hour", "max_pool_share", "cost_per_month",
    "on_demand_cost_per_hour", "saving", "concentration.pool.share", "concentration.instance_type.share",
    "concentration.availability_zone.share", "concentration.pool.loss_share",
    "concentration.instance_type.loss_share", "concentration.availability_zone.loss_share",
    "certificate.objective", "certificate.bound", "certificate.gap",
)  # fmt: skip
EXPERIMENT = (
    "runs", "shortfall_cvar_95", "cost_percentile", "shortfall_percentile",
    *(f"{name}.{end}" for name in (*MEANS, "cost_against") for end in ("mean", "low", "high")),
)  # fmt: skip
REQUEST = (
    "instance_count", "cost", "on_demand_cost", "saving", "instance_hours", "launches", "interruptions",
)  # fmt: skip

JOB = (
    "cost", "total_cost", "spot_hours", "on_demand_hours", "launches", "preemptions", "misses", "regret",
    "saving", "gap_closed",
)  # fmt: skip
SERVICE = (
    "cost", "availability", "mean_fill", "missed_ticks", "longest_outage_s", "spot_hours",
    "on_demand_hours", "launches", "preemptions", "refused", "bound", "regret",
)  # fmt: skip

SHARES = frozenset(
    [
        "saving", "interrupted_instance_share", "availability", "mean_fill", "max_pool_share",
        "concentration.pool.share", "concentration.instance_type.share",
        "concentration.availability_zone.share", "concentration.pool.loss_share",
        "concentration.instance_type.loss_share", "concentration.availability_zone.loss_share",
        "certificate.gap", "gap_closed", "cost_percentile", "shortfall_percentile",
        *(
            f"{name}.{end}"
            for name in ("saving", "availability", "mean_fill")
            for end in ("mean", "low", "high")
        ),
        *(
            f"metrics.{name}"
            for name in (
                "saving", "break_even_discount", "goodput", "spot_utilisation", "co_interruption_share",
                "obtainability", "instance_survival_1h", "instance_survival_24h", "availability", "mean_fill",
                "attainment_90_percent", "slo_miss_5_percent", "largest_pool_loss_share",
            )
        ),
    ]
)  # fmt: skip
"""Those that a limit in per cent makes sense of."""
