"""``spotfleet allocate``: what to launch now, with a certificate, why, and what conflicts."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fleet.cli.answers import ALLOCATION
from fleet.cli.completion import roundings, solvers, words
from fleet.cli.exports import export_files, identity_for, write_exports
from fleet.cli.facts_options import facts_entry
from fleet.cli.files import STDOUT, check_paths
from fleet.cli.gates import FailIf, check_gates, gates_of
from fleet.cli.inputs import (
    FleetFiles,
    MarketFiles,
    check_strategies,
    expanded,
    load_market,
    names_of,
    time_option,
)
from fleet.cli.limits import Limiting, counts_file, limits_of, suited
from fleet.cli.options import Export, Force, Json, OneStrategy, Prices
from fleet.cli.outcome import fail_unfulfilled
from fleet.cli.output import console, errors, print_allocation, print_json, print_warnings, working
from fleet.cli.report_options import ReportOptions
from fleet.errors import InfeasibleError, InputError

if TYPE_CHECKING:
    from fleet.allocator import Conflict, Frontier, Limits
    from fleet.allocator.result import Allocation
    from fleet.domain.exact_numbers import Ints
    from fleet.domain.market import Market
    from fleet.domain.request import FleetRequest
    from fleet.domain.resolution import LeftOut
    from fleet.domain.snapshot import Snapshot
    from fleet.io.facts import FactsUsed

__all__ = ["allocate"]


@dataclass(frozen=True)
class PlanFiles(MarketFiles):
    """What the command line says of the market; without price history Spot prices are estimated."""

    prices: Prices = None
    region: Annotated[
        str | None, typer.Option(help="Without --prices: the region, where the request names no zone.")
    ] = None
    strict: Annotated[bool, typer.Option("--strict", help="Refuse estimated Spot prices (no --prices).")] = (
        False
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strict and self.prices is None:
            raise InputError(
                "--strict without --prices", "must not use estimated Spot prices", "pass --prices"
            )

    def pools_to_estimate(self, request: FleetRequest, product: str) -> Market | None:
        """Return the pools whose Spot prices are to be estimated, ``None`` with price history."""
        if self.prices is not None:
            return None
        return self.facts.to_estimate(request, self.region, product, names_of(self.zones))

    def estimate_line(self, request: str) -> str | None:
        """Return the first line of an answer from estimates, which names the way to real history."""
        if self.prices is not None:
            return None
        where = f" --region {self.region}" if self.region else ""
        return (
            "estimated: no price history is used. Real history: "
            f"`spotfleet fetch {shlex.quote(request)} --archive prices-archive{where}`, "
            "then --prices prices-archive"
        )


def allocate(
    asked: FleetFiles,
    files: PlanFiles,
    limiting: Limiting,
    papers: ReportOptions,
    at: Annotated[str | None, typer.Option(help="When; by default the last instant of the prices.")] = None,
    strategy: OneStrategy = None,
    rounding: Annotated[
        str,
        typer.Option(
            help="aws (the rule of the service) or exact (integer optimum).", autocompletion=words(roundings)
        ),
    ] = "aws",
    solver: Annotated[
        str,
        typer.Option(
            help="auto, closed-form, compiled, highs, scipy, pulp or pulp:NAME.",
            autocompletion=words(solvers),
        ),
    ] = "auto",
    time_limit: Annotated[
        float,
        typer.Option(
            help="Seconds for the solve; then the best answer found, its bound and its gap. inf: no limit."
        ),
    ] = 10.0,
    json_output: Json = False,
    force: Force = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Also the certificate in the solver's words.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="One line why for each pool.")] = False,
    frontier: Annotated[
        bool, typer.Option("--frontier", help="Also price against capacity, and where the strategies lie.")
    ] = False,
    hibernation_only: Annotated[
        bool, typer.Option("--hibernation-only", help="Types that can hibernate (--instance-types).")
    ] = False,
    burstable_at_baseline: Annotated[
        bool, typer.Option("--burstable-at-baseline", help="Burstable types weigh what they sustain.")
    ] = False,
    running: Annotated[
        Path | None,
        typer.Option(
            help="Spot instances that run: CSV (instance_type, availability_zone, instances) or "
            "describe-instances JSON."
        ),
    ] = None,
    reservations: Annotated[
        Path | None,
        typer.Option(
            help="CSV (instance_type, availability_zone, instances) of unused capacity reservations."
        ),
    ] = None,
    fail_if: FailIf = None,
    export: Export = None,
    every_pool: Annotated[
        bool,
        typer.Option(
            "--every-pool", help="Export all pools of the request, where AWS's rule gives the plan then too."
        ),
    ] = False,
    launch_template: Annotated[
        str | None, typer.Option(help="ID or NAME[:VERSION] for --export; else the request's own.")
    ] = None,
    iam_fleet_role: Annotated[
        str | None, typer.Option(help="Role ARN for --export spot-fleet; else the request's own.")
    ] = None,
) -> None:
    """Decide what to launch now, with a certificate.

    Example: `spotfleet allocate fleet.json --prices history/ --on-demand od.csv --strategy diversified`
    """
    from fleet.allocator import allocate as decide
    from fleet.domain.resolution import resolve
    from fleet.domain.snapshot import snapshot_at
    from fleet.replay_engine.span import carried_notes

    gates = gates_of(fail_if, ALLOCATION)
    exports = export_files(export or [])
    check_paths(
        [*exports, *papers.paths()],
        [*asked.inputs(), *files.inputs(), running, reservations],
        json_output=json_output,
        force=force,
    )
    wanted = asked.load(files.zones)
    check_strategies([strategy or wanted.strategy])
    moment = time_option("--at", at)
    limits = limits_of(limiting, asked.instance_types, names_of(files.zones))
    market, used = load_market(files, asked.product, errors(), files.pools_to_estimate(wanted, asked.product))
    wanted = expanded(wanted, asked, market, moment, files.facts, explain=explain)
    wanted = suited(
        wanted, asked.instance_types, limits, hibernation=hibernation_only, baseline=burstable_at_baseline
    )
    if moment is not None and moment < market.start_s:
        raise InputError(f"--at {at}", "lies before the first price", "choose a later time")
    decided_s = market.end_s if moment is None else moment
    closed = wanted.closed_at(decided_s)
    if closed is not None:
        wanted = replace(
            wanted, notes=(*wanted.notes, f"{closed}; this is what it would launch if it were open")
        )
    resolved = resolve(wanted, market, asked.product)
    snapshot = snapshot_at(resolved.market, resolved.pools, decided_s)
    stays = counts_file(running, resolved.pools, "--running", names_of(files.zones))
    reserved = counts_file(reservations, resolved.pools, "--reservations", names_of(files.zones))
    if wanted.reservations_first and reserved is None:
        note = "use-capacity-reservations-first: none are known without --reservations"
        wanted = replace(wanted, notes=(*wanted.notes, note))
    with working(errors(), f"deciding (at most {time_limit:g} s)") as tell:
        try:
            allocation = decide(
                wanted,
                snapshot,
                strategy=strategy,
                rounding=rounding,
                solver=solver,
                limits=limits,
                running=stays,
                reservations=reserved,
                time_limit_s=time_limit,
            )
        except InfeasibleError as error:
            tell("no fleet meets the limits: looking for those in conflict")
            raise blamed(error, wanted, snapshot, strategy, limits, stays, time_limit) from error
        if allocation.unfulfilled:
            tell("the target is not covered: looking for the limits in conflict")
        found = conflict_of(allocation, strategy, limits, time_limit)
        tell("drawing the frontier")
        curve = frontier_of(allocation, limits, time_limit) if frontier and found is None else None
    identity = (
        identity_for(asked.request, launch_template, iam_fleet_role, asked.subnet_zones())
        if exports
        else None
    )
    lost = write_exports(allocation, exports, identity, asked.instance_types, every_pool)
    estimate = files.estimate_line(asked.request)
    warnings = [
        *([estimate] if estimate else []),
        *allocation.warnings,
        *resolved.notes,
        *carried_notes(market, decided_s, "--at"),
        *lost,
    ]
    piped = STDOUT in exports or papers.on_stdout
    show(
        allocation,
        warnings,
        found,
        curve,
        json_output,
        explain,
        piped,
        used,
        resolved.left_out,
        verbose,
        estimate,
    )
    papers.write(replace(allocation, warnings=tuple(dict.fromkeys(warnings))))
    print_warnings(errors(), [w for w in warnings if w != estimate or json_output or piped])
    if found is not None:
        fail_unfulfilled(allocation, found)
    check_gates(gates, [allocation.to_dict()])


def show(
    allocation: Allocation,
    warnings: list[str],
    found: Conflict | None,
    curve: Frontier | None,
    json_output: bool,
    explain: bool,
    piped: bool,
    used: FactsUsed | None,
    left_out: tuple[LeftOut, ...],
    verbose: bool,
    estimate: str | None,
) -> None:
    """Print the answer; what explains it goes to the error stream where standard output is a document."""
    if json_output:
        document = document_of(allocation, warnings, found, curve)
        document["ineligible"] += [
            {"instance_type": m.instance_type, "availability_zone": m.availability_zone, "reason": m.reason}
            for m in left_out
        ]
        print_json({**document, "estimated": estimate is not None, **facts_entry(used)})
    elif not piped:
        if estimate is not None:
            console().print(estimate, highlight=False, markup=False, soft_wrap=True)
        print_allocation(console(), allocation, verbose=verbose)
    say = errors() if json_output or piped else console()
    if explain:
        say.print(
            "\n".join([*explanation(allocation), *(f"{m.name}: left out, {m.reason}" for m in left_out)]),
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    if curve is not None and not json_output:
        say.print(curve.summary(), highlight=False, markup=False, soft_wrap=True)


def document_of(
    allocation: Allocation, warnings: list[str], found: Conflict | None, curve: Frontier | None
) -> dict[str, Any]:
    """Return the JSON answer, with what conflicts and the frontier if there are any."""
    document = {**allocation.to_dict(), "warnings": list(dict.fromkeys(warnings))}
    if found is not None:
        document["conflict"] = {
            "limits": list(found.limits),
            "nearest_target": found.nearest_target,
            "out_of_time": found.out_of_time,
        }
    return document if curve is None else {**document, "frontier": curve.to_dict()}


def blamed(
    error: InfeasibleError,
    wanted: FleetRequest,
    snapshot: Snapshot,
    strategy: str | None,
    limits: Limits,
    running: Ints | None,
    time_limit_s: float,
) -> InfeasibleError:
    """Return the error that no fleet meets the limits, with the smallest set of them to blame."""
    from fleet.allocator import conflict

    found = conflict(
        wanted, snapshot, strategy=strategy, limits=limits, running=running, time_limit_s=time_limit_s
    )
    return InfeasibleError(error.wrong, error.rule, str(found)) if found.limits else error


def conflict_of(
    allocation: Allocation, strategy: str | None, limits: Limits, time_limit_s: float
) -> Conflict | None:
    """Return what keeps the target out of reach, or ``None`` if it is covered."""
    if not allocation.unfulfilled:
        return None
    from fleet.allocator import conflict

    wanted, stays = allocation.request, allocation.running
    return conflict(
        wanted,
        allocation.snapshot,
        strategy=strategy,
        limits=limits,
        running=stays,
        time_limit_s=time_limit_s,
    )


def frontier_of(allocation: Allocation, limits: Limits, time_limit_s: float) -> Frontier:
    """Return price against capacity for the same question."""
    from fleet.allocator import frontier

    return frontier(
        allocation.request,
        allocation.snapshot,
        limits=limits,
        running=allocation.running,
        time_limit_s=time_limit_s,
    )


def explanation(allocation: Allocation) -> list[str]:
    """Return a line for each pool, and what the strategy's wishes cost above the cheapest fleet."""
    lines = allocation.explain()
    least = allocation.least_cost_per_hour()
    if least is not None:
        spent = float(
            sum(line["cost_per_hour"] for line in allocation.lines() if line["lifecycle"] == "spot")
        )
        more = spent - least
        lines.append(
            f"the cheapest Spot fleet of as many units costs at least ${least:.4f} per hour; "
            f"this one ${spent:.4f}, ${max(0.0, more):.4f} more (strategy, whole instances)"
        )
    return lines
