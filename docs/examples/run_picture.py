"""Draw the picture of one replay on the embedded market: a target that changes, shocks, stops.

usage: python run_picture.py FILE.png
"""

import sys
from dataclasses import replace

import fleet
from fleet.plots import run_figure, save_figure

DAY_S = 24 * 3600

market = fleet.synthetic_market(days=20)
request = replace(fleet.demo_request(), on_demand_target_capacity=40, interruption_behavior="stop")
schedule = fleet.domain.Schedule(
    (
        fleet.domain.TargetChange(market.start_s + 5 * DAY_S, 120),
        fleet.domain.TargetChange(market.start_s + 12 * DAY_S, 260),
    )
)
result = fleet.replay(
    request,
    market,
    schedule=schedule,
    interruptions=["price", "capacity", fleet.interruptions.Shocks("zone", per_month=6.0, share=0.5)],
    start_delay_s=180,
    seed=2,
)
save_figure(run_figure(result), sys.argv[1])
