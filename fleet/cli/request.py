"""``spotfleet request``: single Spot requests through market history, their states, status codes and bill."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from fleet.cli.answers import REQUEST
from fleet.cli.causes import CauseOptions
from fleet.cli.facts_options import facts_entry
from fleet.cli.files import STDOUT, check_output, check_paths, write_text
from fleet.cli.gates import FailIf, check_gates, gates_of
from fleet.cli.inputs import MarketFiles, load_market, names_of, subnet_zones_of, time_option
from fleet.cli.money import billing_terms, terms_file
from fleet.cli.options import (
    LINUX,
    Billing,
    End,
    Events,
    Force,
    Json,
    Notice,
    Seed,
    Start,
    SubnetsFile,
    SubnetZone,
)
from fleet.cli.output import console, errors, print_json, print_table, print_warnings, working
from fleet.domain.schedule import Cancellation
from fleet.errors import InfeasibleError, InputError

if TYPE_CHECKING:
    from fleet.replayer.spot_request_result import SpotRequestResult

__all__ = ["request"]

MOST_LINES = 100
STATUS_EVENT = "spotInstanceRequestChange"
"""EC2 keeps no history of single requests, only how they stand: our own word for a change of state."""

RequestFile = Annotated[
    str,
    typer.Argument(
        help="AWS JSON: request-spot-instances, or an answer of describe-spot-instance-requests; - for stdin."
    ),
]
Cancel = Annotated[
    str | None, typer.Option("--cancel", help="When the requests are cancelled; instances run on.")
]
CancelAndTerminate = Annotated[
    str | None, typer.Option("--cancel-and-terminate", help="When they are cancelled and instances ended.")
]
LegacyBlocks = Annotated[
    bool, typer.Option("--legacy-blocks", help="Take BlockDurationMinutes (not sold since 2023).")
]
BlockPrice = Annotated[
    float | None,
    typer.Option("--block-price", help="$ per instance-hour of a Spot block (else the Spot price)."),
]
RequestProduct = Annotated[
    str | None, typer.Option("--product", help="Operating system; default: the file's own, else Linux/UNIX.")
]


def request(
    request: RequestFile,
    files: MarketFiles,
    causes: CauseOptions,
    start: Start = None,
    end: End = None,
    cancel: Cancel = None,
    cancel_and_terminate: CancelAndTerminate = None,
    legacy_blocks: LegacyBlocks = False,
    block_price: BlockPrice = None,
    billing: Billing = "per-second",
    notice: Notice = 120,
    seed: Seed = 0,
    product: RequestProduct = None,
    subnet_zone: SubnetZone = None,
    subnets: SubnetsFile = None,
    json_output: Json = False,
    force: Force = False,
    events: Events = None,
    fail_if: FailIf = None,
) -> None:
    """Run single Spot requests through market history: states, status codes, interruptions, the bill.

    Example: `spotfleet request spot.json --prices history/ --cancel-and-terminate 2021-05-02T00:00:00Z`
    """
    from fleet.io import placed_by_name, read_spot_request
    from fleet.replayer.spot_request_run import replay_spot_request

    gates = gates_of(fail_if, REQUEST)
    check_output(events)
    check_paths(
        [events],
        [request, subnets, *files.inputs(), *causes.inputs(), terms_file(billing)],
        json_output=json_output,
        force=force,
    )
    wanted = read_spot_request(
        request,
        subnet_zones=subnet_zones_of(subnet_zone, subnets),
        legacy_blocks=legacy_blocks,
        block_price=block_price,
    )
    wanted = placed_by_name(wanted, names_of(files.zones))
    system = product or wanted.product or LINUX
    if block_price is not None and not (legacy_blocks and wanted.block_minutes):
        raise InputError(
            f"--block-price {block_price:g}",
            "needs --legacy-blocks and a request with BlockDurationMinutes",
            "add them or drop it",
        )
    stop = cancellation_of(cancel, cancel_and_terminate)
    terms, first, last = billing_terms(billing), time_option("--start", start), time_option("--end", end)
    market, used = load_market(files, system, errors())
    with working(errors(), "replaying"):
        result = replay_spot_request(
            wanted,
            market,
            start_s=first,
            end_s=last,
            product=system,
            interruptions=causes.on(market),
            billing=terms,
            notice_s=notice,
            cancellation=stop,
            seed=seed,
        )
    if events is not None:
        write_text(events, events_text(result))
    if json_output:
        print_json({**result.to_dict(), **facts_entry(used)})
    elif events != STDOUT:
        print_result(console(), result)
    print_warnings(errors(), result.warnings)
    if not result.launches:
        raise InfeasibleError(
            "no request was fulfilled",
            f"the last status is {result.history[-1].code}",
            "check SpotPrice, on-demand prices, capacity, ValidFrom and the span",
        )
    check_gates(gates, [result.to_dict()])


def cancellation_of(cancel: str | None, cancel_and_terminate: str | None) -> Cancellation | None:
    """Return what is done to the requests, if anything."""
    if cancel is not None and cancel_and_terminate is not None:
        raise InputError("--cancel and --cancel-and-terminate", "exclude each other", "keep one")
    for name, text in (("--cancel", cancel), ("--cancel-and-terminate", cancel_and_terminate)):
        at_s = time_option(name, text)
        if at_s is not None:
            return Cancellation(at_s, terminate_instances=text is cancel_and_terminate)
    return None


def events_text(result: SpotRequestResult) -> str:
    """Return what happened to requests and instances, a JSON object a line, in order of time."""
    changes = [
        {
            "time": status["time"],
            "event_type": STATUS_EVENT,
            "event_sub_type": status["state"],
            **{name: status[name] for name in ("spot_instance_request_id", "status", "instance_id")},
        }
        for status in result.statuses()
    ]
    lines = sorted([*result.events(), *changes], key=lambda event: event["time"])
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def print_result(out: Console, result: SpotRequestResult) -> None:
    """Print states and status codes over time, the bill, and the numbers."""
    for title, rows in (("states", result.history_rows()), ("bill", result.bill_rows())):
        header, *lines = rows
        print_table(out, [header, *lines[:MOST_LINES]])
        if len(lines) > MOST_LINES:
            more = f"{len(lines) - MOST_LINES:,} more lines of the {title}: see --json"
            out.print(more, highlight=False)
    out.print(result.summary(), highlight=False, markup=False)
