"""Pictures: functions of results, Axes in and out. Nothing here touches pyplot or global settings."""

from fleet.plots.comparison import plot_capacity, plot_cost, plot_pool_shares, plot_tradeoff
from fleet.plots.experiments import (
    experiment_figure,
    plot_cost_distribution,
    plot_null_strip,
    plot_regret,
    plot_shortfall_cvar,
)
from fleet.plots.figure import comparison_figure, headline, save_figure
from fleet.plots.frontier import plot_frontier
from fleet.plots.jobs import job_figure, plot_job
from fleet.plots.market import plot_availability_heatmap, plot_price_heatmap
from fleet.plots.replay import plot_bill, plot_endings, plot_units, run_figure
from fleet.plots.service import plot_replicas, plot_service, service_figure
from fleet.plots.survival import plot_pools_over_time, plot_survival

__all__ = [
    "comparison_figure",
    "experiment_figure",
    "headline",
    "job_figure",
    "plot_availability_heatmap",
    "plot_bill",
    "plot_capacity",
    "plot_cost",
    "plot_cost_distribution",
    "plot_endings",
    "plot_frontier",
    "plot_job",
    "plot_null_strip",
    "plot_pool_shares",
    "plot_pools_over_time",
    "plot_price_heatmap",
    "plot_regret",
    "plot_replicas",
    "plot_service",
    "plot_shortfall_cvar",
    "plot_survival",
    "plot_tradeoff",
    "plot_units",
    "run_figure",
    "save_figure",
    "service_figure",
]
