"""Which EC2 Spot capacity to buy, how good the answer is, and what would have happened to you.

Read a request and a market (`read_request`, `read_prices`), decide (`allocate`), run it through history
(`replay`, `compare`). Names are loaded when they are first used: ``import fleet`` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fleet import plots
    from fleet.adjust import at_baseline, hibernating_only, placeable_only
    from fleet.allocation import Allocation, Binding, Certificate, Ineligible
    from fleet.allocator import (
        Cap,
        Conflict,
        Frontier,
        Limits,
        allocate,
        conflict,
        explain,
        frontier,
        launches,
        scale_down,
    )
    from fleet.attributes import InstanceRequirements, RequirementsLine
    from fleet.billing import Billing, Convertible, Reserved, SavingsPlan, StoppedStorage, bill
    from fleet.catalogue import Catalogue, InstanceType
    from fleet.comparison import Comparison, compare
    from fleet.errors import (
        CapacityDataError,
        CatalogueError,
        CheckError,
        FleetError,
        InfeasibleError,
        InputError,
        PriceDataError,
        RequestError,
        SolverError,
        UnknownStrategyError,
    )
    from fleet.expansion import Expansion, expand
    from fleet.export import (
        Deployment,
        LaunchIdentity,
        WrittenPlan,
        deploy,
        export_plan,
        focus_csv,
        focus_rows,
    )
    from fleet.formats import (
        DataFeed,
        OnDemandPrices,
        PriceHistory,
        ReadReport,
        SpotAdvisor,
        TraceSet,
        format_time,
        load_market,
        parse_request,
        parse_time,
        read_availability,
        read_capacity,
        read_data_feed,
        read_instance_types,
        read_on_demand,
        read_prices,
        read_request,
        read_schedule,
        read_scores,
        read_spot_advisor,
        read_trace_set,
        read_zone_ids,
        save_market,
        with_zone_names,
        write_data_feed,
    )
    from fleet.hindsight import Hindsight
    from fleet.interruptions import (
        Bathtub,
        Empirical,
        Exponential,
        Hazard,
        Lifetimes,
        MassLoss,
        Outage,
        PriceSpike,
        Shocks,
        Weibull,
        fit_bathtub,
        fit_empirical,
        fit_exponential,
        fit_weibull,
        lifetimes_of_capacity,
        lifetimes_of_instances,
        mean_residual_h,
    )
    from fleet.jobs import Job, JobRuns, JobStrategy, JobStudy, JobView, clairvoyant_plan, job_study
    from fleet.market import ChangePoints, Market
    from fleet.metrics import Metric
    from fleet.model import EvenShare, EvenSpread, GroupLimit, Linear, Problem
    from fleet.pools import LaunchPools
    from fleet.regret import hindsight_optimum, replay_hindsight
    from fleet.request import FleetRequest, Override
    from fleet.request_runner import SpotRequestResult, replay_spot_request
    from fleet.resolution import ResolvedRequest, resolve
    from fleet.results import ReplayResult
    from fleet.runner import replay
    from fleet.schedule import Cancellation, RebalanceSignals, Schedule, TargetChange
    from fleet.service import (
        Service,
        ServiceBound,
        ServicePolicy,
        ServiceRun,
        ServiceStudy,
        ServiceView,
        clairvoyant_service,
        service_study,
    )
    from fleet.snapshot import Snapshot, snapshot_at
    from fleet.solvers import lp_file
    from fleet.solvers.warm import WarmAnswer, WarmProblem
    from fleet.spot_request import SpotRequest
    from fleet.strategy import Plan, Strategy, View, find_strategy, strategy_names
    from fleet.synthetic import demo_request, synthetic_market

__version__ = "0.1.0"

_ROOMS = {
    "adjust": ("at_baseline", "hibernating_only", "placeable_only"),
    "allocation": ("Allocation", "Binding", "Certificate", "Ineligible"),
    "allocator": (
        "Cap",
        "Conflict",
        "Frontier",
        "Limits",
        "allocate",
        "conflict",
        "explain",
        "frontier",
        "launches",
        "scale_down",
    ),
    "billing": ("Billing", "Convertible", "Reserved", "SavingsPlan", "StoppedStorage", "bill"),
    "comparison": ("Comparison", "compare"),
    "errors": (
        "CapacityDataError",
        "CatalogueError",
        "CheckError",
        "FleetError",
        "InfeasibleError",
        "InputError",
        "PriceDataError",
        "RequestError",
        "SolverError",
        "UnknownStrategyError",
    ),
    "formats": (
        "DataFeed",
        "OnDemandPrices",
        "PriceHistory",
        "ReadReport",
        "SpotAdvisor",
        "TraceSet",
        "format_time",
        "load_market",
        "parse_request",
        "parse_time",
        "read_availability",
        "read_capacity",
        "read_data_feed",
        "read_instance_types",
        "read_on_demand",
        "read_prices",
        "read_request",
        "read_schedule",
        "read_scores",
        "read_zone_ids",
        "read_spot_advisor",
        "read_trace_set",
        "save_market",
        "with_zone_names",
        "write_data_feed",
    ),
    "attributes": ("InstanceRequirements", "RequirementsLine"),
    "catalogue": ("Catalogue", "InstanceType"),
    "expansion": ("Expansion", "expand"),
    "export": (
        "Deployment",
        "LaunchIdentity",
        "WrittenPlan",
        "deploy",
        "export_plan",
        "focus_csv",
        "focus_rows",
    ),
    "interruptions": (
        "Bathtub",
        "Empirical",
        "Exponential",
        "Hazard",
        "Lifetimes",
        "MassLoss",
        "Outage",
        "PriceSpike",
        "Shocks",
        "Weibull",
        "fit_bathtub",
        "fit_empirical",
        "fit_exponential",
        "fit_weibull",
        "lifetimes_of_capacity",
        "lifetimes_of_instances",
        "mean_residual_h",
    ),
    "jobs": ("Job", "JobRuns", "JobStrategy", "JobStudy", "JobView", "clairvoyant_plan", "job_study"),
    "market": ("ChangePoints", "Market"),
    "metrics": ("Metric",),
    "model": ("EvenShare", "EvenSpread", "GroupLimit", "Linear", "Problem"),
    "pools": ("LaunchPools",),
    "hindsight": ("Hindsight",),
    "regret": ("hindsight_optimum", "replay_hindsight"),
    "runner": ("replay",),
    "request": ("FleetRequest", "Override"),
    "request_runner": ("SpotRequestResult", "replay_spot_request"),
    "resolution": ("ResolvedRequest", "resolve"),
    "results": ("ReplayResult",),
    "schedule": ("Cancellation", "RebalanceSignals", "Schedule", "TargetChange"),
    "service": (
        "Service",
        "ServiceBound",
        "ServicePolicy",
        "ServiceRun",
        "ServiceStudy",
        "ServiceView",
        "clairvoyant_service",
        "service_study",
    ),
    "snapshot": ("Snapshot", "snapshot_at"),
    "solvers": ("lp_file",),
    "solvers.warm": ("WarmAnswer", "WarmProblem"),
    "spot_request": ("SpotRequest",),
    "strategy": ("Plan", "Strategy", "View", "find_strategy", "strategy_names"),
    "synthetic": ("demo_request", "synthetic_market"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Allocation",
    "Bathtub",
    "Billing",
    "Binding",
    "Cancellation",
    "Cap",
    "CapacityDataError",
    "Catalogue",
    "CatalogueError",
    "Certificate",
    "ChangePoints",
    "CheckError",
    "Comparison",
    "Conflict",
    "Convertible",
    "DataFeed",
    "Deployment",
    "Empirical",
    "EvenShare",
    "EvenSpread",
    "Expansion",
    "Exponential",
    "FleetError",
    "FleetRequest",
    "Frontier",
    "GroupLimit",
    "Hazard",
    "Hindsight",
    "Ineligible",
    "InfeasibleError",
    "InputError",
    "InstanceRequirements",
    "InstanceType",
    "Job",
    "JobRuns",
    "JobStrategy",
    "JobStudy",
    "JobView",
    "LaunchIdentity",
    "LaunchPools",
    "Lifetimes",
    "Limits",
    "Linear",
    "Market",
    "MassLoss",
    "Metric",
    "OnDemandPrices",
    "Outage",
    "Override",
    "Plan",
    "PriceDataError",
    "PriceHistory",
    "PriceSpike",
    "Problem",
    "ReadReport",
    "RebalanceSignals",
    "ReplayResult",
    "RequestError",
    "RequirementsLine",
    "Reserved",
    "ResolvedRequest",
    "SavingsPlan",
    "Schedule",
    "Service",
    "ServiceBound",
    "ServicePolicy",
    "ServiceRun",
    "ServiceStudy",
    "ServiceView",
    "Shocks",
    "Snapshot",
    "SolverError",
    "SpotAdvisor",
    "SpotRequest",
    "SpotRequestResult",
    "StoppedStorage",
    "Strategy",
    "TargetChange",
    "TraceSet",
    "UnknownStrategyError",
    "View",
    "WarmAnswer",
    "WarmProblem",
    "Weibull",
    "WrittenPlan",
    "__version__",
    "allocate",
    "at_baseline",
    "bill",
    "clairvoyant_plan",
    "clairvoyant_service",
    "compare",
    "conflict",
    "demo_request",
    "deploy",
    "expand",
    "explain",
    "export_plan",
    "find_strategy",
    "fit_bathtub",
    "fit_empirical",
    "fit_exponential",
    "fit_weibull",
    "focus_csv",
    "focus_rows",
    "format_time",
    "frontier",
    "hibernating_only",
    "hindsight_optimum",
    "job_study",
    "launches",
    "lifetimes_of_capacity",
    "lifetimes_of_instances",
    "load_market",
    "lp_file",
    "mean_residual_h",
    "parse_request",
    "parse_time",
    "placeable_only",
    "plots",
    "read_availability",
    "read_capacity",
    "read_data_feed",
    "read_instance_types",
    "read_on_demand",
    "read_prices",
    "read_request",
    "read_schedule",
    "read_scores",
    "read_spot_advisor",
    "read_trace_set",
    "read_zone_ids",
    "replay",
    "replay_hindsight",
    "replay_spot_request",
    "resolve",
    "save_market",
    "scale_down",
    "service_study",
    "snapshot_at",
    "strategy_names",
    "synthetic_market",
    "with_zone_names",
    "write_data_feed",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its room when it is first used (PEP 562)."""
    if name in _HOME:
        value = getattr(importlib.import_module(f"fleet.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name == "plots":
        return importlib.import_module("fleet.plots")
    raise AttributeError(f"module 'fleet' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
