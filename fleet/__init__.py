"""Which EC2 Spot capacity to buy, how good the answer is, and what would have happened to you.

Read a request and a market (`read_request`, `read_prices`), decide (`allocate`), run it through history
(`replay`, `compare`). The names below are those that a user meets first; all others are public in their
rooms, such as `fleet.io` or `fleet.interruptions`. Names and rooms are loaded when they are first used, so
that ``import fleet`` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fleet import allocator as allocator
    from fleet import billing as billing
    from fleet import domain as domain
    from fleet import experiments as experiments
    from fleet import export as export
    from fleet import hindsight as hindsight
    from fleet import interruptions as interruptions
    from fleet import io as io
    from fleet import metrics as metrics
    from fleet import model as model
    from fleet import plots as plots
    from fleet import replay_engine as replay_engine
    from fleet import replayer as replayer
    from fleet import report as report
    from fleet import solvers as solvers
    from fleet import synthetic as synthetic
    from fleet import testing as testing
    from fleet import workloads as workloads
    from fleet.allocator import (
        Allocation,
        Cap,
        Certificate,
        Limits,
        Plan,
        Strategy,
        View,
        allocate,
        conflict,
        explain,
        find_strategy,
        frontier,
        strategy_names,
    )
    from fleet.billing import Billing
    from fleet.domain import FleetRequest, LaunchPools, Market, Override, Snapshot, snapshot_at
    from fleet.domain.versions import show_versions
    from fleet.errors import FleetError, InfeasibleError, InputError, SolverError
    from fleet.experiments import Experiment, replay_many
    from fleet.io import (
        load_market,
        read_availability,
        read_capacity,
        read_on_demand,
        read_prices,
        read_request,
        save_market,
    )
    from fleet.model import EvenShare, EvenSpread, Linear
    from fleet.replay_engine import ReplaySettings
    from fleet.replayer import Comparison, ReplayResult, compare, hindsight_optimum, replay
    from fleet.synthetic import demo_request, synthetic_market

__version__ = "0.1.0"

_ROOMS = (
    "allocator",
    "billing",
    "domain",
    "experiments",
    "export",
    "hindsight",
    "interruptions",
    "io",
    "metrics",
    "model",
    "plots",
    "replay_engine",
    "replayer",
    "report",
    "solvers",
    "synthetic",
    "testing",
    "workloads",
)
_NAMES = {
    "fleet.domain.versions": ("show_versions",),
    "fleet.allocator": (
        "Allocation",
        "Cap",
        "Certificate",
        "Limits",
        "Plan",
        "Strategy",
        "View",
        "allocate",
        "conflict",
        "explain",
        "find_strategy",
        "frontier",
        "strategy_names",
    ),
    "fleet.billing": ("Billing",),
    "fleet.domain": (
        "FleetRequest",
        "LaunchPools",
        "Market",
        "Override",
        "Snapshot",
        "snapshot_at",
    ),
    "fleet.errors": (
        "FleetError",
        "InfeasibleError",
        "InputError",
        "SolverError",
    ),
    "fleet.experiments": (
        "Experiment",
        "replay_many",
    ),
    "fleet.io": (
        "load_market",
        "read_availability",
        "read_capacity",
        "read_on_demand",
        "read_prices",
        "read_request",
        "save_market",
    ),
    "fleet.model": (
        "EvenShare",
        "EvenSpread",
        "Linear",
    ),
    "fleet.replay_engine": ("ReplaySettings",),
    "fleet.replayer": (
        "Comparison",
        "ReplayResult",
        "compare",
        "hindsight_optimum",
        "replay",
    ),
    "fleet.synthetic": (
        "demo_request",
        "synthetic_market",
    ),
}
_HOME = {name: room for room, names in _NAMES.items() for name in names}

__all__ = [
    "Allocation",
    "Billing",
    "Cap",
    "Certificate",
    "Comparison",
    "EvenShare",
    "EvenSpread",
    "Experiment",
    "FleetError",
    "FleetRequest",
    "InfeasibleError",
    "InputError",
    "LaunchPools",
    "Limits",
    "Linear",
    "Market",
    "Override",
    "Plan",
    "ReplayResult",
    "ReplaySettings",
    "Snapshot",
    "SolverError",
    "Strategy",
    "View",
    "__version__",
    "allocate",
    "compare",
    "conflict",
    "demo_request",
    "explain",
    "find_strategy",
    "frontier",
    "hindsight_optimum",
    "load_market",
    "read_availability",
    "read_capacity",
    "read_on_demand",
    "read_prices",
    "read_request",
    "replay",
    "replay_many",
    "save_market",
    "show_versions",
    "snapshot_at",
    "strategy_names",
    "synthetic_market",
]


def __getattr__(name: str) -> Any:
    """Load a name from its room, or a room, when it is first used (PEP 562)."""
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    if name in _ROOMS:
        return importlib.import_module(f"fleet.{name}")
    raise AttributeError(f"module 'fleet' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the first names and the rooms."""
    return sorted([*__all__, *_ROOMS])
