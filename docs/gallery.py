"""Draw the gallery: every picture of the library, on the embedded market."""

from __future__ import annotations

from pathlib import Path

import fleet
from fleet import plots


def draw(folder: Path) -> list[Path]:
    """Write the pictures into a folder and return their paths."""
    market = fleet.synthetic_market(7, days=20)
    request = fleet.demo_request()
    comparison = fleet.compare(request, market, start_delay_s=180)
    first, *_ = results = list(comparison)
    resolved = fleet.resolve(request, market)
    frontier = fleet.frontier(request, fleet.snapshot_at(resolved.market, resolved.pools, market.end_s))
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
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures.items():
        plots.save_figure(figure, folder / f"{name}.png")
    return [folder / f"{name}.png" for name in pictures]
