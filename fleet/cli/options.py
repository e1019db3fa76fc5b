"""The options that commands share: each with its help, in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.completion import billing_rules, drivers, export_forms, polarities, strategies, words

__all__ = [
    "ANSWERS",
    "CAUSES",
    "LINUX",
    "MARKET",
    "PICTURES",
    "RUN",
    "Advisor",
    "AdvisorTop",
    "Availability",
    "Billing",
    "Capacity",
    "DataFeed",
    "End",
    "EventLog",
    "Events",
    "Export",
    "Focus",
    "Force",
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
    "SubnetsFile",
    "TraceStart",
    "TraceType",
    "WhenUp",
    "Zones",
]

LINUX = "Linux/UNIX"
MARKET, CAUSES, RUN, ANSWERS = "Market", "Interruptions", "The run", "Answers"
"""Under which heading an option stands in ``--help``; what is no command's own has one."""

PICTURES = (".png", ".svg")
"""What ``--plot`` ends in."""

Request = Annotated[
    str, typer.Argument(help="AWS JSON: SpotFleetRequestConfig or create-fleet; - for stdin.")
]
Prices = Annotated[
    Path | None,
    typer.Option(
        help="describe-spot-price-history: a file or folder (JSON, CSV, TSV, .gz), or what `cache` wrote.",
        rich_help_panel=MARKET,
    ),
]
Product = Annotated[str, typer.Option(help="Operating system of the pools.")]
OnDemand = Annotated[
    Path | None, typer.Option("--on-demand", help="CSV of on-demand prices.", rich_help_panel=MARKET)
]
Capacity = Annotated[
    Path | None,
    typer.Option(
        help="CSV: instance_type, availability_zone, available, perhaps product and time.",
        rich_help_panel=MARKET,
    ),
]
OneStrategy = Annotated[
    str | None,
    typer.Option("--strategy", help="Instead of the request's own.", autocompletion=words(strategies)),
]
Strategies = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy", help="One to compare; give it again for more.", autocompletion=words(strategies)
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on standard output.", rich_help_panel=ANSWERS)
]
SubnetZone = Annotated[list[str] | None, typer.Option(help="SUBNET=ZONE for subnets named without a zone.")]
SubnetsFile = Annotated[
    Path | None, typer.Option("--subnets", help="describe-subnets JSON: the zones of the request's subnets.")
]
InstanceTypes = Annotated[
    Path | None, typer.Option("--instance-types", help="describe-instance-types JSON or CSV, for attributes.")
]
Scores = Annotated[
    Path | None,
    typer.Option(
        help="Placement scores: get-spot-placement-scores JSON, or SpotLake rows.", rich_help_panel=MARKET
    ),
]
Zones = Annotated[
    Path | None,
    typer.Option(
        help="describe-availability-zones JSON: zone IDs become this account's names.", rich_help_panel=MARKET
    ),
]
Export = Annotated[
    list[str] | None,
    typer.Option(
        help="FORM=FILE, such as create-fleet=plan.json; once for each file (see docs/export.md).",
        rich_help_panel=ANSWERS,
        autocompletion=words(export_forms),
    ),
]
Start = Annotated[
    str | None, typer.Option(help="First second, such as 2021-03-10T00:00:00Z.", rich_help_panel=RUN)
]
End = Annotated[str | None, typer.Option(help="Last second.", rich_help_panel=RUN)]
Events = Annotated[
    Path | None,
    typer.Option(
        help="Write the event log: JSON lines, or .json in the form of EC2's history.",
        rich_help_panel=ANSWERS,
    ),
]
Availability = Annotated[
    Path | None, typer.Option(help="Folder of availability traces (ZONE_NODE.json).", rich_help_panel=MARKET)
]
Polarity = Annotated[
    str | None,
    typer.Option(
        help="What traces mean: available (1 = up) or preempted (1 = lost).",
        rich_help_panel=MARKET,
        autocompletion=words(polarities),
    ),
]
TraceStart = Annotated[
    str | None,
    typer.Option("--availability-start", help="Time of the traces' first tick.", rich_help_panel=MARKET),
]
WhenUp = Annotated[
    int | None,
    typer.Option(
        "--instances-when-up",
        max=1_000_000_000,
        help="What a yes of a yes-or-no trace stands for.",
        rich_help_panel=MARKET,
    ),
]
TraceType = Annotated[
    str | None,
    typer.Option("--trace-type", help="Instance type that the traces are of.", rich_help_panel=MARKET),
]
Interruptions = Annotated[
    list[str] | None,
    typer.Option(
        help="price, capacity, hazard or none; default: price, and capacity if it is known.",
        rich_help_panel=CAUSES,
        autocompletion=words(drivers),
    ),
]
HazardLaw = Annotated[
    str | None,
    typer.Option(
        "--hazard",
        help="weibull:shape=0.6,scale_h=1.4, exponential:..., bathtub:... or LAW:fit.",
        rich_help_panel=CAUSES,
    ),
]
Advisor = Annotated[
    Path | None, typer.Option(help="spot-advisor-data.json: hazard from its buckets.", rich_help_panel=CAUSES)
]
EventLog = Annotated[
    Path | None,
    typer.Option(
        "--interruption-log",
        help="EventBridge events with describe-instances JSON: LAW:fit is fitted to them.",
        rich_help_panel=CAUSES,
    ),
]
AdvisorTop = Annotated[
    float | None,
    typer.Option(
        "--advisor-top", help="Monthly share of the open-ended top bucket (0.25).", rich_help_panel=CAUSES
    ),
]
ShockRules = Annotated[
    list[str] | None,
    typer.Option(
        "--shocks",
        help="Common shocks: zone:per_month=0.5,share=0.3 (pool, family, all ...).",
        rich_help_panel=CAUSES,
    ),
]
Stress = Annotated[
    list[str] | None,
    typer.Option(
        help="zone=us-east-1a@TIME+30m, pool=biggest@..., loss=20@TIME+15m, price=3@TIME+2h.",
        rich_help_panel=CAUSES,
    ),
]
LaunchFailing = Annotated[
    str | None,
    typer.Option(
        "--launch-failures",
        help="share=0.05,retry=60: launches that fail at random, and the wait.",
        rich_help_panel=CAUSES,
    ),
]
Billing = Annotated[
    str,
    typer.Option(
        help="per-second, hour-start, hourly (until October 2017), or a JSON file (docs/billing.md).",
        rich_help_panel=RUN,
        autocompletion=words(billing_rules),
    ),
]
DataFeed = Annotated[
    Path | None,
    typer.Option(
        "--write-data-feed",
        help="Write the Spot charges as AWS's Spot data feed (.gz).",
        rich_help_panel=ANSWERS,
    ),
]
Focus = Annotated[
    Path | None,
    typer.Option(
        help="Write the simulated spend as FOCUS rows (.csv), for FinOps tools.", rich_help_panel=ANSWERS
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Replace files that spotfleet did not write, too.", rich_help_panel=ANSWERS),
]
StartDelay = Annotated[
    int, typer.Option("--start-delay", help="Seconds from launch to running.", rich_help_panel=RUN)
]
ScheduleFile = Annotated[
    Path | None,
    typer.Option(
        "--schedule",
        help="JSON of target changes and a cancellation (see docs/replay.md).",
        rich_help_panel=RUN,
    ),
]
Signals = Annotated[
    list[str] | None,
    typer.Option(
        "--rebalance-signals",
        help="Recommendations: default, or ahead=600,missed=0.1,false=0.01.",
        rich_help_panel=RUN,
    ),
]
Notice = Annotated[
    int,
    typer.Option("--notice", help="Seconds from a notice to the end of the instance.", rich_help_panel=RUN),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all that is drawn; recorded in the result.")]
Plot = Annotated[Path | None, typer.Option(help="Write the picture (.png or .svg).", rich_help_panel=ANSWERS)]
Hindsight = Annotated[
    bool, typer.Option("--hindsight", help="The least that anybody could have paid, and the regret.")
]
HindsightToo = Annotated[
    bool | None,
    typer.Option("--hindsight/--no-hindsight", help="Regret in the table; default: where it is defined."),
]
