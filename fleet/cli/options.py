"""The options that commands share: each with its help, in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Advisor",
    "AdvisorTop",
    "Availability",
    "Billing",
    "Capacity",
    "DataFeed",
    "End",
    "Events",
    "Export",
    "Focus",
    "HazardLaw",
    "Hindsight",
    "HindsightToo",
    "InstanceTypes",
    "Interruptions",
    "Json",
    "LaunchFailing",
    "Notice",
    "OnDemand",
    "OneStrategy",
    "Plot",
    "Polarity",
    "Prices",
    "Product",
    "Request",
    "ScheduleFile",
    "Scores",
    "Seed",
    "ShockRules",
    "Signals",
    "Start",
    "StartDelay",
    "Strategies",
    "Stress",
    "SubnetZone",
    "TraceStart",
    "TraceType",
    "WhenUp",
    "Zones",
]

Request = Annotated[
    str, typer.Argument(help="AWS JSON: SpotFleetRequestConfig or create-fleet; - for stdin.")
]
Prices = Annotated[
    Path,
    typer.Option(
        help="describe-spot-price-history: a file or folder (JSON, CSV, TSV, .gz), or what `cache` wrote."
    ),
]
Product = Annotated[str, typer.Option(help="Operating system of the pools.")]
OnDemand = Annotated[Path | None, typer.Option("--on-demand", help="CSV of on-demand prices.")]
Capacity = Annotated[
    Path | None, typer.Option(help="CSV instance_type,availability_zone,available[,product][,time].")
]
OneStrategy = Annotated[str | None, typer.Option("--strategy", help="Instead of the request's own.")]
Strategies = Annotated[
    list[str] | None, typer.Option("--strategy", help="One to compare; give it again for more.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
SubnetZone = Annotated[list[str] | None, typer.Option(help="SUBNET=ZONE for subnets named without a zone.")]
InstanceTypes = Annotated[
    Path | None, typer.Option("--instance-types", help="describe-instance-types JSON or CSV, for attributes.")
]
Scores = Annotated[
    Path | None, typer.Option(help="Placement scores: get-spot-placement-scores JSON, or SpotLake rows.")
]
Zones = Annotated[
    Path | None, typer.Option(help="describe-availability-zones JSON: zone IDs become this account's names.")
]
Export = Annotated[
    list[str] | None,
    typer.Option(help="FORM=FILE, such as create-fleet=plan.json; once for each file (see docs/export.md)."),
]
Start = Annotated[str | None, typer.Option(help="First second, such as 2021-03-10T00:00:00Z.")]
End = Annotated[str | None, typer.Option(help="Last second.")]
Events = Annotated[
    Path | None, typer.Option(help="Write the event log: JSON lines, or .json in the form of EC2's history.")
]
Availability = Annotated[Path | None, typer.Option(help="Folder of availability traces (ZONE_NODE.json).")]
Polarity = Annotated[
    str | None, typer.Option(help="What traces mean: available (1 = up) or preempted (1 = lost).")
]
TraceStart = Annotated[
    str | None, typer.Option("--availability-start", help="Time of the traces' first tick.")
]
WhenUp = Annotated[
    int | None, typer.Option("--instances-when-up", help="What a yes of a yes-or-no trace stands for.")
]
TraceType = Annotated[str | None, typer.Option("--trace-type", help="Instance type that the traces are of.")]
Interruptions = Annotated[
    list[str] | None,
    typer.Option(help="price, capacity, hazard or none; default: price, and capacity if it is known."),
]
HazardLaw = Annotated[
    str | None,
    typer.Option("--hazard", help="weibull:shape=0.6,scale_h=1.4, exponential:..., bathtub:... or LAW:fit."),
]
Advisor = Annotated[Path | None, typer.Option(help="spot-advisor-data.json: hazard from its buckets.")]
AdvisorTop = Annotated[
    float | None, typer.Option("--advisor-top", help="Monthly share of the open-ended top bucket (0.25).")
]
ShockRules = Annotated[
    list[str] | None,
    typer.Option("--shocks", help="Common shocks: zone:per_month=0.5,share=0.3 (pool, family, all ...)."),
]
Stress = Annotated[
    list[str] | None,
    typer.Option(help="zone=us-east-1a@TIME+30m, pool=biggest@..., loss=20@TIME+15m, price=3@TIME+2h."),
]
LaunchFailing = Annotated[
    str | None,
    typer.Option(
        "--launch-failures", help="share=0.05,retry=60: launches that fail at random, and the wait."
    ),
]
Billing = Annotated[
    str,
    typer.Option(
        help="per-second, hour-start, hourly (until October 2017), or a JSON file of terms (docs/billing.md)."
    ),
]
DataFeed = Annotated[
    Path | None,
    typer.Option("--data-feed", help="Write the Spot charges as AWS's Spot data feed (.gz)."),
]
Focus = Annotated[
    Path | None,
    typer.Option(help="Write the simulated spend as FOCUS rows (.csv), for FinOps tools."),
]
StartDelay = Annotated[int, typer.Option("--start-delay", help="Seconds from launch to running.")]
ScheduleFile = Annotated[
    Path | None,
    typer.Option("--schedule", help="JSON of target changes and a cancellation (see docs/replay.md)."),
]
Signals = Annotated[
    list[str] | None,
    typer.Option("--rebalance-signals", help="Recommendations: default, or ahead=600,missed=0.1,false=0.01."),
]
Notice = Annotated[int, typer.Option("--notice", help="Seconds from a notice to the end of the instance.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all that is drawn; recorded in the result.")]
Plot = Annotated[Path | None, typer.Option(help="Write the picture (.png or .svg).")]
Hindsight = Annotated[
    bool, typer.Option("--hindsight", help="The least that anybody could have paid, and the regret.")
]
HindsightToo = Annotated[
    bool | None,
    typer.Option("--hindsight/--no-hindsight", help="Regret in the table; default: where it is defined."),
]
