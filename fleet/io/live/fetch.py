"""Fetch what AWS says of the pools of a request, with the user's own profile, into an archive.

Price history by type (EC2 keeps 90 days: only what the archive lacks is asked for), and on wish placement
scores, instance types and on-demand prices.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.domain.instance_types import Catalogue
from fleet.domain.pools import region_of
from fleet.domain.request import FleetRequest
from fleet.domain.requirements import match
from fleet.domain.times import format_time
from fleet.errors import InputError
from fleet.io.live.archive import Archive, Span, missing_spans
from fleet.io.live.aws import Clients, answers, boto3_clients, pages

__all__ = ["FetchReport", "Needs", "fetch", "needs_of"]

KEPT_BY_AWS_S = 90 * 86400
LATE_S = 900
"""Prices of the last minutes may be published late: what follows a span is asked for from so long before."""
TYPES_A_CALL = 100
CATALOGUE, ON_DEMAND = "instance-types.json", "on-demand.csv"
OPERATING_SYSTEM = {
    "Linux/UNIX": ("Linux", "linux_ondemand_usd"),
    "Windows": ("Windows", "windows_ondemand_usd"),
    "Red Hat Enterprise Linux": ("RHEL", "rhel_ondemand_usd"),
    "SUSE Linux": ("SUSE", "suse_ondemand_usd"),
}
"""What the price list calls the products of the Spot price history, and the column of each."""
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Needs:
    """What to ask for.

    Parameters
    ----------
    regions, instance_types
        Each type in each region.
    product
        Of the price history.
    target_capacity
        Units, for placement scores.
    """

    regions: tuple[str, ...]
    instance_types: tuple[str, ...]
    product: str = "Linux/UNIX"
    target_capacity: int = 1


@dataclass(frozen=True)
class FetchReport:
    """What a fetch did.

    Parameters
    ----------
    files, records
        Added, and the price records in them.
    already
        Spans that were there already.
    nothing
        Types in regions of which AWS has no price in all of the span: mistyped, or not offered there.
    broken
        Files of the archive that were no whole Parquet files: set aside, their spans fetched again.
    """

    files: int
    records: int
    already: int
    nothing: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return the report for people."""
        return (
            f"{self.records:,} price records in {self.files:,} new files; "
            f"{self.already:,} spans were in the archive already"
        )


def needs_of(
    request: FleetRequest,
    regions: tuple[str, ...] = (),
    product: str = "Linux/UNIX",
    catalogue: Catalogue | None = None,
) -> Needs:
    """Return what a request's pools need; the regions are those of its zones unless they are named.

    Parameters
    ----------
    catalogue
        For a request that asks for attributes: every type of it that matches is needed, since price
        protection can drop some only when prices are known.

    Raises
    ------
    InputError
        If no region is known, or the request asks for attributes and there is no catalogue, or no match.
    """
    lines = request.requirements
    if lines and catalogue is None:
        raise InputError(
            "InstanceRequirements", "need a catalogue of instance types", "pass --instance-types FILE"
        )
    zones = [o.availability_zone for o in request.overrides] + [line.availability_zone for line in lines]
    known = (region_of(zone) for zone in zones if zone is not None and "-az" not in zone)
    named = regions or tuple(dict.fromkeys(known))
    if not named:
        raise InputError("the request", "names no availability zone, so no region", "pass --region")
    matched = [match(line.requirements, catalogue).types for line in lines if catalogue is not None]
    kinds = [o.instance_type for o in request.overrides] + [k.name for types in matched for k in types]
    if not kinds:
        raise InputError("InstanceRequirements", "match no type of the catalogue", "relax them")
    return Needs(named, tuple(dict.fromkeys(kinds)), product, max(1, round(request.target_capacity)))


def fetch(
    needs: Needs,
    archive: Archive,
    *,
    now_s: int,
    until_s: int | None = None,
    days: float = 90,
    clients: Clients | None = None,
    profile: str | None = None,
    scores: bool = False,
    catalogue: bool = True,
    on_demand: bool = True,
    progress: Progress | None = None,
) -> FetchReport:
    """Bring an archive up to date for a request's pools.

    Parameters
    ----------
    now_s
        The present, seconds UTC.
    until_s
        The end of the history; by default the present.
    days
        How far back from there; what lies more than 90 days before the present AWS no longer has.
    clients
        Makes a client of a service in a region; by default boto3's, for ``profile``.
    scores, catalogue, on_demand
        Whether placement scores, instance types and on-demand prices are asked for too.
    progress
        Called with (steps done, steps in all, what is next).

    Raises
    ------
    InputError
        If ``days`` or ``until_s`` is out of range, or boto3 or the credentials are missing.
    FleetError
        If AWS refuses a call; what was fetched until then stays.
    """
    make = clients or boto3_clients(profile)
    wanted = wanted_span(now_s, until_s, days)
    pairs = [(region, kind) for region in needs.regions for kind in needs.instance_types]
    extras = [
        (name, run)
        for name, run, asked in (
            ("instance types", keep_catalogue, catalogue),
            ("on-demand prices", keep_on_demand, on_demand),
            ("placement scores", keep_scores, scores),
        )
        if asked
    ]
    total = len(pairs) + len(extras)
    files = records = already = 0
    nothing, broken = [], []
    for done, (region, kind) in enumerate(pairs):
        what = f"{kind} in {region}"
        tell(progress, done, total, what)
        broken += archive.set_aside_broken(region, kind, needs.product)
        have = archive.spans(region, kind, needs.product)
        already += len(have)
        for span in missing_spans(wanted, have):
            asked_for = with_late(span, have)
            rows = answers(
                lambda r=region, k=kind, s=asked_for: price_rows(make("ec2", r), k, needs.product, s),  # type: ignore[misc]
                what,
            )
            archive.add_prices(region, kind, needs.product, asked_for, rows)
            files, records = files + 1, records + len(rows)
            if not rows and not have:
                nothing.append(what)
    for done, (name, run) in enumerate(extras, len(pairs)):
        tell(progress, done, total, name)
        answers(lambda r=run: r(needs, archive, make, now_s), name)  # type: ignore[misc]
    tell(progress, total, total, "done")
    return FetchReport(files, records, already, tuple(nothing), tuple(map(str, broken)))


def wanted_span(now_s: int, until_s: int | None, days: float) -> Span:
    """Return the span to hold: never the future, nor what AWS keeps no more, for it would count as held."""
    if not 0 < days <= KEPT_BY_AWS_S / 86400:
        raise InputError(f"days {days:g}", "EC2 keeps 90 days of price history", "ask for at most 90")
    end, oldest = now_s if until_s is None else until_s, now_s - KEPT_BY_AWS_S
    if not oldest < end <= now_s:
        raise InputError(
            f"the end of the history, {format_time(end)}",
            "lies in the past 90 days, of which EC2 keeps prices",
            f"choose a time from {format_time(oldest)} to {format_time(now_s)}",
        )
    return max(end - round(days * 86400), oldest), end


def with_late(span: Span, have: Sequence[Span]) -> Span:
    """Return a span begun a little earlier where it follows one that is held."""
    return (span[0] - LATE_S, span[1]) if any(end == span[0] for _, end in have) else span


def tell(progress: Progress | None, done: int, total: int, what: str) -> None:
    """Report progress, if anybody listens."""
    if progress is not None:
        progress(done, total, what)


def price_rows(client: Any, kind: str, product: str, span: tuple[int, int]) -> list[dict[str, Any]]:
    """Return the records of one type over a span, all pages; the first of each zone may lie before it."""
    from datetime import UTC, datetime

    found = pages(
        client.describe_spot_price_history,
        InstanceTypes=[kind],
        ProductDescriptions=[product],
        StartTime=datetime.fromtimestamp(span[0], UTC),
        EndTime=datetime.fromtimestamp(span[1], UTC),
    )
    return [row for page in found for row in page["SpotPriceHistory"]]


def keep_catalogue(needs: Needs, archive: Archive, make: Clients, now_s: int) -> None:
    """Keep ``describe-instance-types`` of the first region that offers a type, beside what is held."""
    del now_s
    held = json.loads(archive.text(CATALOGUE) or "{}").get("InstanceTypes", [])
    found: dict[str, Any] = {record["InstanceType"]: record for record in held}
    missing = list(needs.instance_types)
    for region in needs.regions:
        client = make("ec2", region)
        for start in range(0, len(missing), TYPES_A_CALL):
            names = missing[start : start + TYPES_A_CALL]
            wish = [{"Name": "instance-type", "Values": names}]  # a name that is not offered is no error
            for page in pages(client.describe_instance_types, Filters=wish):
                found |= {record["InstanceType"]: record for record in page["InstanceTypes"]}
        missing = [kind for kind in missing if kind not in found]
    archive.add_text(CATALOGUE, json.dumps({"InstanceTypes": list(found.values())}, default=str))


def keep_on_demand(needs: Needs, archive: Archive, make: Clients, now_s: int) -> None:
    """Keep on-demand prices by region and type, beside those that are held, as ``--on-demand`` takes them."""
    del now_s
    client = make("pricing", "us-east-1")
    product = needs.product.removesuffix(" (Amazon VPC)")
    if product not in OPERATING_SYSTEM:
        raise InputError(f"product {needs.product!r}", "has no name in the price list", "pass --no-on-demand")
    system, column = OPERATING_SYSTEM[product]
    held = csv.DictReader(io.StringIO(archive.text(ON_DEMAND)))
    rows = {(row["region"], row["instance_type"]): dict(row) for row in held}
    for region in needs.regions:
        for kind in needs.instance_types:
            row = rows.setdefault((region, kind), {"region": region, "instance_type": kind})
            row[column] = listed_price(client, region, kind, system) or ""
    columns = ["region", "instance_type", *(column for _, column in OPERATING_SYSTEM.values())]
    used = [name for name in columns if any(name in row for row in rows.values())]
    out = io.StringIO()
    writer = csv.DictWriter(out, used, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows[key] for key in sorted(rows))
    archive.add_text(ON_DEMAND, out.getvalue())


def listed_price(client: Any, region: str, kind: str, system: str) -> str | None:
    """Return the price of one type by the hour, shared tenancy, as the price list writes it.

    ``None`` where the list has no price, or several: then which one is meant is not known.
    """
    wanted = {
        "regionCode": region,
        "instanceType": kind,
        "operatingSystem": system,
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
        "licenseModel": "No License required",
    }
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]
    found: dict[float, str] = {}
    for page in pages(client.get_products, ServiceCode="AmazonEC2", Filters=filters):
        for text in page["PriceList"]:
            item = json.loads(text) if isinstance(text, str) else text
            for term in item.get("terms", {}).get("OnDemand", {}).values():
                for part in term["priceDimensions"].values():
                    price = part["pricePerUnit"].get("USD")
                    if price is not None and float(price) > 0:
                        found[float(price)] = str(price)
    return next(iter(found.values())) if len(found) == 1 else None


def keep_scores(needs: Needs, archive: Archive, make: Clients, now_s: int) -> None:
    """Keep the placement scores of each type by zone: one question a type, since a score is of a set."""
    answered: list[Mapping[str, Any]] = []
    for region in needs.regions:
        client = make("ec2", region)
        for kind in needs.instance_types:
            found = pages(
                client.get_spot_placement_scores,
                InstanceTypes=[kind],
                TargetCapacity=needs.target_capacity,
                SingleAvailabilityZone=True,
                RegionNames=[region],
            )
            answered.append(
                {
                    "Time": format_time(now_s),
                    "InstanceTypes": [kind],
                    "TargetCapacity": needs.target_capacity,
                    "SpotPlacementScores": [row for page in found for row in page["SpotPlacementScores"]],
                }
            )
    archive.add_text(f"scores/{format_time(now_s).replace(':', '')}.json", json.dumps(answered, indent=1))
