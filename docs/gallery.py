"""Draw the gallery: every picture of the library, on the embedded market."""

from __future__ import annotations

from pathlib import Path

import fleet
from fleet import plots

DAY_S = 86400


def draw(folder: Path) -> list[Path]:
    """Write the pictures into a folder and return their paths."""
    market = fleet.synthetic_market(7, days=20)
    request = fleet.demo_request()
    comparison = fleet.compare(request, market, start_delay_s=180)
    first, *_ = results = list(comparison)
    resolved = fleet.domain.resolve(request, market)
    frontier = fleet.frontier(request, fleet.snapshot_at(resolved.market, resolved.pools, market.end_s))
    windows = fleet.experiments.Windows(4 * DAY_S, 2 * DAY_S)
    study = fleet.replay_many(request, market, windows=windows, null=8, workers=1, start_delay_s=180)
    pictures = {
        "comparison": plots.comparison_figure(results),
        "run": plots.run_figure(first),
        "cost": plots.plot_cost(results).figure,
        "capacity": plots.plot_capacity(results).figure,
        "tradeoff": plots.plot_tradeoff(results).figure,
        "pool-shares": plots.plot_pool_shares(results).figure,
        "pools-over-time": plots.plot_pools_over_time(first).figure,
        "survival": plots.plot_survival(results).figure,
        "prices": plots.plot_price_heatmap(market).figure,
        "availability": plots.plot_availability_heatmap(market).figure,
        "frontier": plots.plot_frontier(frontier).figure,
        "experiment": plots.experiment_figure(study),
        "cost-distribution": plots.plot_cost_distribution(study).figure,
        "regret": plots.plot_regret(study).figure,
        "shortfall": plots.plot_shortfall_cvar(study).figure,
        "null-strip": plots.plot_null_strip(study).figure,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures.items():
        plots.save_figure(figure, folder / f"{name}.png")
    return [folder / f"{name}.png" for name in pictures]
