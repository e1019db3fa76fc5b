"""From options to a request and a market; a progress bar while prices load."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from fleet.cli.facts_options import FactsOptions
from fleet.cli.files import STDOUT
from fleet.cli.options import (
    LINUX,
    Availability,
    Capacity,
    InstanceTypes,
    OnDemand,
    Polarity,
    Prices,
    Product,
    Request,
    Scores,
    SubnetsFile,
    SubnetZone,
    TraceStart,
    TraceType,
    WhenUp,
    Zones,
)
from fleet.cli.output import errors, print_warnings, steps_bar
from fleet.domain.instance_types import Catalogue
from fleet.domain.market import Market
from fleet.domain.request import FleetRequest
from fleet.errors import CapacityDataError, InputError, RequestError
from fleet.io import (
    is_market_folder,
    parse_request,
    parse_time,
    placed_by_name,
    read_availability,
    read_capacity,
    read_on_demand,
    read_prices,
    read_request,
    read_scores,
    read_zone_ids,
    with_zone_names,
)
from fleet.io import load_market as load_kept
from fleet.io.capacity.trace_kinds import unstated_polarity
from fleet.io.catalogue.subnets import read_subnets
from fleet.io.decoding.json_document import MOST_BYTES
from fleet.io.decoding.raw import read_text, standard_input
from fleet.io.prices.history import PriceHistory

if TYPE_CHECKING:
    from fleet.io.facts import FactsUsed

__all__ = [
    "FleetFiles",
    "MarketFiles",
    "check_strategies",
    "expanded",
    "load_market",
    "load_request",
    "names_of",
    "subnet_zones_of",
    "time_option",
]


NAMED = 3
"""So many types that do not match are named with their reasons."""


@dataclass(frozen=True)
class FleetFiles:
    """What the command line says of the request."""

    request: Request
    product: Product = LINUX
    subnet_zone: SubnetZone = None
    subnets: SubnetsFile = None
    instance_types: InstanceTypes = None

    def inputs(self) -> list[str | Path | None]:
        """Return the files that are read."""
        return [self.request, self.subnets, self.instance_types]

    def load(self, zones: Path | None) -> FleetRequest:
        """Return the request in the file, or on standard input for ``-``; by zone names, where known."""
        return placed_by_name(load_request(self.request, self.subnet_zones()), names_of(zones))

    def subnet_zones(self) -> dict[str, str]:
        """Return the zone of each subnet that is known."""
        return subnet_zones_of(self.subnet_zone, self.subnets)


@dataclass(frozen=True)
class MarketFiles:
    """What the command line says of the market; checked when it is built, before anything is read."""

    prices: Prices
    on_demand: OnDemand = None
    capacity: Capacity = None
    availability: Availability = None
    polarity: Polarity = None
    availability_start: TraceStart = None
    instances_when_up: WhenUp = None
    trace_type: TraceType = None
    scores: Scores = None
    zones: Zones = None
    facts: FactsOptions = field(default_factory=FactsOptions)

    def __post_init__(self) -> None:
        if self.capacity is not None and self.availability is not None:
            raise InputError("--capacity and --availability", "exclude each other", "keep one")
        check_traces(self)

    def inputs(self) -> list[str | Path | None]:
        """Return the files and folders that are read."""
        return [self.prices, self.on_demand, self.capacity, self.availability, self.scores, self.zones]


def load_request(name: str, zones: dict[str, str]) -> FleetRequest:
    """Return the request in a file, or on standard input for ``-``."""
    if name == "-":
        text = read_text(name, RequestError, most=MOST_BYTES)
        return parse_request(text, subnet_zones=zones, source="standard input")
    return read_request(name, subnet_zones=zones)


def names_of(zones: Path | None) -> dict[str, str]:
    """Return the name of each zone ID that ``--zones`` knows."""
    return {} if zones is None else read_zone_ids(zones)


def subnet_zones_of(pairs: list[str] | None, file: Path | None) -> dict[str, str]:
    """Return the zone of each subnet: what the file says, and on top of it what the options name."""
    zones = {} if file is None else read_subnets(file)
    for pair in pairs or []:
        subnet, found, zone = pair.partition("=")
        if not (subnet and found and zone):
            raise InputError(f"--subnet-zone {pair!r}", "must be SUBNET=ZONE", "write subnet-1=us-east-1a")
        zones[subnet] = zone
    return zones


@contextmanager
def piped() -> Iterator[Path]:
    """Yield a file of what comes on standard input, packed or not; errors name it so, not by its path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "standard input"
        try:
            path.write_bytes(standard_input(InputError))
            yield path
        except InputError as error:
            raise type(error)(
                error.wrong.replace(f"{folder}{os.sep}", ""), error.rule, error.remedy
            ) from None


class Loaded(NamedTuple):
    """A market, and what of it was publicly known instead of being in the user's files."""

    market: Market
    facts: FactsUsed | None


def load_market(files: MarketFiles, product: str, errors: Console, estimated: Market | None = None) -> Loaded:
    """Return the market that the files describe; what was left out goes to the error stream.

    ``estimated`` has the pools whose Spot prices are estimated where there is no price history.
    """
    from_pipe = [f.name for f in fields(files) if getattr(files, f.name) == STDOUT]
    if not from_pipe:
        return market_of(files, product, errors, estimated)
    with piped() as path:
        named: dict[str, Any] = {from_pipe[0]: path}
        return market_of(replace(files, **named), product, errors, estimated)


def market_of(files: MarketFiles, product: str, errors: Console, estimated: Market | None) -> Loaded:
    """Return the market of files that have names (see `load_market`)."""
    if files.prices is not None:
        market = load_prices(files.prices, errors)
    else:
        assert estimated is not None
        market = estimated
    names = names_of(files.zones)
    market = with_zone_names(market, names)
    used = None
    if files.on_demand is not None:
        market = read_on_demand(files.on_demand, zone_names=names).apply(market)
    else:
        market, used = files.facts.complete(market, names)
    if files.prices is None:
        market = files.facts.estimated(market)
    if files.scores is not None:
        market = read_scores(files.scores, market, zone_names=names)
    if files.capacity is not None:
        market = read_capacity(files.capacity, market, zone_names=names)
    if files.availability is not None:
        market = with_traces(files, market, product)
    return Loaded(market, used)


def load_prices(path: Path, errors: Console) -> Market:
    """Return the market of a price history, or of a folder that ``spotfleet cache`` wrote."""
    if is_market_folder(path):
        return load_kept(path)
    history = prices_with_progress(path, errors)
    if history.report.skipped or history.report.conflicting:
        errors.print(history.report.summary(), style="dim", highlight=False, markup=False, soft_wrap=True)
    return history.market


def prices_with_progress(path: Path, errors: Console) -> PriceHistory:
    """Read prices; on a terminal a bar shows how far."""
    with steps_bar(errors, "reading prices") as step:
        return read_prices(path, progress=step)


def check_traces(files: MarketFiles) -> None:
    """Refuse traces whose meaning and start are not stated, and statements about no traces."""
    stated = {
        "--polarity": files.polarity,
        "--availability-start": files.availability_start,
        "--instances-when-up": files.instances_when_up,
        "--trace-type": files.trace_type,
    }
    named = [name for name, value in stated.items() if value is not None]
    if files.availability is None and named:
        raise InputError(
            f"{', '.join(named)} without --availability", "speaks of traces", "name their folder or drop it"
        )
    if files.availability is not None and files.polarity is None:
        raise unstated_polarity(f"--availability {files.availability} without --polarity")
    if files.availability is not None and files.availability_start is None:
        raise CapacityDataError(
            f"--availability {files.availability} without --availability-start",
            "must be read with the time of its first tick, which traces do not say",
            "add --availability-start TIME",
        )


def with_traces(files: MarketFiles, market: Market, product: str) -> Market:
    """Add availability traces (`check_traces` has seen that they are stated)."""
    from fleet.domain.resolution import product_in

    start_s = time_option("--availability-start", files.availability_start)
    assert files.availability is not None
    assert files.polarity is not None
    assert start_s is not None
    return read_availability(
        files.availability,
        market,
        polarity=files.polarity,
        start_s=start_s,
        instances_when_up=files.instances_when_up,
        product=product_in(market, product),
        instance_type=files.trace_type,
    )


def time_option(name: str, text: str | None) -> int | None:
    """Return the second that an option names."""
    if text is None:
        return None
    try:
        return parse_time(in_utc(name, text))
    except InputError as error:
        raise InputError(f"{name}: {error.wrong}", error.rule, error.remedy) from None


def in_utc(name: str, text: str) -> str:
    """Return a time with its zone: UTC where it names none, which a note says."""
    bare = text.strip().removesuffix("Z").rstrip()
    try:
        moment = datetime.fromisoformat(bare)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        return text
    if bare == text.strip():
        print_warnings(errors(), [f"{name} {bare} names no zone: it is read as UTC"])
    return f"{moment.isoformat()}+00:00"


def check_strategies(names: list[str]) -> None:
    """Refuse an unknown strategy before prices are read."""
    from fleet.allocator.strategy import find_strategy

    for name in names:
        find_strategy(name)


def expanded(
    request: FleetRequest,
    files: FleetFiles,
    market: Market,
    at_s: int | None,
    facts: FactsOptions,
    *,
    explain: bool = False,
) -> FleetRequest:
    """Return the request with attributes expanded to instance types, if it asks for any.

    What does not match is said in one line, or with ``explain`` in one line a type.
    """
    if not request.requirements:
        return request
    from fleet.domain.expansion import expand

    catalogue = catalogue_of(files, market, facts)
    expansion = expand(request, catalogue, market, at_s=at_s, product=files.product)
    reasons = sorted(expansion.dropped.items())
    if explain or len(reasons) <= NAMED:
        print_warnings(errors(), [f"{name} does not match: {reason}" for name, reason in reasons])
    else:
        few = ", ".join(f"{name} ({reason})" for name, reason in reasons[:NAMED])
        more = f"and {len(reasons) - NAMED} more (allocate --explain: all)"
        print_warnings(errors(), [f"{len(reasons)} types do not match the attributes: {few} {more}"])
    return expansion.request


def catalogue_of(files: FleetFiles, market: Market, facts: FactsOptions) -> Catalogue:
    """Return the user's own catalogue, else what is publicly known of the market's types."""
    if files.instance_types is not None:
        from fleet.io import read_instance_types

        return read_instance_types(files.instance_types)
    known = facts.catalogue(market)
    if known is None:
        raise InputError(
            "InstanceRequirements with --no-facts",
            "must have a catalogue of instance types",
            "pass --instance-types FILE",
        )
    return known
