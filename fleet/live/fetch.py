"""Fetch what AWS says of the pools of a request, with the user's own profile, into an archive.

Price history by type (EC2 keeps 90 days: only what the archive lacks is asked for), and on wish placement
scores, instance types and on-demand prices. Credentials are boto3's affair; nothing here sees or logs them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.errors import FleetError, InputError
from fleet.formats.times import format_time
from fleet.live.archive import Archive, missing_spans
from fleet.pools import region_of
from fleet.request import FleetRequest

__all__ = ["FetchReport", "Needs", "fetch", "needs_of"]

KEPT_BY_AWS_S = 90 * 86400
TYPES_A_CALL = 100
OPERATING_SYSTEM = {
    "Linux/UNIX": "Linux",
    "Windows": "Windows",
    "Red Hat Enterprise Linux": "RHEL",
    "SUSE Linux": "SUSE",
}
"""What the price list calls the products of the Spot price history."""
Progress = Callable[[int, int, str], None]
Clients = Callable[[str, str], Any]
"""(service, region) -> boto3 client."""


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
    """What a fetch did: files added, price records in them, and spans that were there already."""

    files: int
    records: int
    already: int

    def summary(self) -> str:
        """Return the report for people."""
        return (
            f"{self.records:,} price records in {self.files:,} new files; "
            f"{self.already:,} spans were in the archive already"
        )


def needs_of(request: FleetRequest, regions: tuple[str, ...] = (), product: str = "Linux/UNIX") -> Needs:
    """Return what a request's pools need; the regions are those of its zones unless they are named.

    Raises
    ------
    InputError
        If no region is known, or the request asks for attributes (expand it first).
    """
    if request.requirements:
        raise InputError(
            "InstanceRequirements", "must be expanded to instance types first", "use fleet.expand"
        )
    zones = [o.availability_zone for o in request.overrides if o.availability_zone is not None]
    named = regions or tuple(dict.fromkeys(region_of(zone) for zone in zones if "-az" not in zone))
    if not named:
        raise InputError("the request", "names no availability zone, so no region", "pass --region")
    types = tuple(dict.fromkeys(o.instance_type for o in request.overrides))
    return Needs(named, types, product, max(1, round(request.target_capacity)))


def fetch(
    needs: Needs,
    archive: Archive,
    *,
    now_s: int,
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
        The end of the history, seconds UTC.
    days
        How far back, at most 90.
    clients
        Makes a client of a service in a region; by default boto3's, for ``profile``.
    scores, catalogue, on_demand
        Whether placement scores, instance types and on-demand prices are asked for too.
    progress
        Called with (steps done, steps in all, what is next).

    Raises
    ------
    InputError
        If ``days`` is out of range, or boto3 or the credentials are missing.
    FleetError
        If AWS refuses a call; what was fetched until then stays.
    """
    if not 0 < days <= KEPT_BY_AWS_S / 86400:
        raise InputError(f"days {days:g}", "EC2 keeps 90 days of price history", "ask for at most 90")
    make = clients or boto3_clients(profile)
    wanted = (now_s - round(days * 86400), now_s)
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
    for done, (region, kind) in enumerate(pairs):
        tell(progress, done, total, f"{kind} in {region}")
        have = archive.spans(region, kind, needs.product)
        already += len(have)
        for span in missing_spans(wanted, have):
            rows = called(lambda r=region, k=kind, s=span: price_rows(make("ec2", r), k, needs.product, s))  # type: ignore[misc]
            archive.add_prices(region, kind, needs.product, span, rows)
            files, records = files + 1, records + len(rows)
    for done, (name, run) in enumerate(extras, len(pairs)):
        tell(progress, done, total, name)
        called(lambda r=run: r(needs, archive, make, now_s))  # type: ignore[misc]
    tell(progress, total, total, "done")
    return FetchReport(files, records, already)


def tell(progress: Progress | None, done: int, total: int, what: str) -> None:
    """Report progress, if anybody listens."""
    if progress is not None:
        progress(done, total, what)


def boto3_clients(profile: str | None) -> Clients:
    """Return boto3's clients for a profile."""
    try:
        import boto3
        from botocore.exceptions import ProfileNotFound
    except ImportError:
        raise InputError("live data", "needs boto3", "pip install 'spotfleet[aws]'") from None
    try:
        session = boto3.Session(profile_name=profile)
    except ProfileNotFound:
        raise InputError(f"--profile {profile}", "is not in your AWS configuration", "correct it") from None
    return lambda service, region: session.client(service, region_name=region)


def called(call: Callable[[], Any]) -> Any:
    """Call AWS; what it refuses becomes one clear error that shows the code and never a credential."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        return call()
    except (NoCredentialsError, PartialCredentialsError):
        raise InputError(
            "AWS credentials", "were not found", "run `aws configure`, or pass --profile NAME"
        ) from None
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        raise FleetError(
            f"AWS answered {code} to {error.operation_name}",
            "what was fetched until then is kept",
            "check the permission or try again",
        ) from None
    except BotoCoreError as error:
        raise FleetError(
            f"AWS could not be reached ({type(error).__name__})",
            "what was fetched until then is kept",
            "check the region and the network, and try again",
        ) from None


def price_rows(client: Any, kind: str, product: str, span: tuple[int, int]) -> list[dict[str, Any]]:
    """Return the records of one type over a span, all pages; the first of each zone may lie before it."""
    from datetime import UTC, datetime

    pages = client.get_paginator("describe_spot_price_history").paginate(
        InstanceTypes=[kind],
        ProductDescriptions=[product],
        StartTime=datetime.fromtimestamp(span[0], UTC),
        EndTime=datetime.fromtimestamp(span[1], UTC),
    )
    return [row for page in pages for row in page["SpotPriceHistory"]]


def keep_catalogue(needs: Needs, archive: Archive, make: Clients, now_s: int) -> None:
    """Keep ``describe-instance-types`` of the first region: what a type is does not differ by region."""
    del now_s
    found = []
    client = make("ec2", needs.regions[0])
    for start in range(0, len(needs.instance_types), TYPES_A_CALL):
        names = list(needs.instance_types[start : start + TYPES_A_CALL])
        pages = client.get_paginator("describe_instance_types").paginate(InstanceTypes=names)
        found += [record for page in pages for record in page["InstanceTypes"]]
    archive.add_text("instance-types.json", json.dumps({"InstanceTypes": found}, default=str))


def keep_on_demand(needs: Needs, archive: Archive, make: Clients, now_s: int) -> None:
    """Keep on-demand prices by region and type as the CSV that ``--on-demand`` takes."""
    del now_s
    client = make("pricing", "us-east-1")
    out = io.StringIO()
    column = "windows_ondemand_usd" if needs.product == "Windows" else "linux_ondemand_usd"
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("region", "instance_type", column))
    for region in needs.regions:
        for kind in needs.instance_types:
            price = listed_price(client, region, kind, needs.product)
            writer.writerow((region, kind, "" if price is None else price))
    archive.add_text("on-demand.csv", out.getvalue())


def listed_price(client: Any, region: str, kind: str, product: str) -> str | None:
    """Return the price of one type by the hour, shared tenancy, as the price list writes it."""
    wanted = {
        "regionCode": region,
        "instanceType": kind,
        "operatingSystem": OPERATING_SYSTEM.get(product, "Linux"),
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
    }
    answer = client.get_products(
        ServiceCode="AmazonEC2",
        Filters=[{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()],
    )
    for text in answer["PriceList"]:
        item = json.loads(text) if isinstance(text, str) else text
        for term in item.get("terms", {}).get("OnDemand", {}).values():
            for part in term["priceDimensions"].values():
                price = part["pricePerUnit"].get("USD")
                if price is not None and float(price) > 0:
                    return str(price)
    return None


def keep_scores(needs: Needs, archive: Archive, make: Clients, now_s: int) -> None:
    """Keep the placement scores of each type by zone: one question a type, since a score is of a set."""
    answers: list[Mapping[str, Any]] = []
    for region in needs.regions:
        client = make("ec2", region)
        for kind in needs.instance_types:
            answer = client.get_spot_placement_scores(
                InstanceTypes=[kind],
                TargetCapacity=needs.target_capacity,
                SingleAvailabilityZone=True,
                RegionNames=[region],
            )
            answers.append(
                {
                    "Time": format_time(now_s),
                    "InstanceTypes": [kind],
                    "TargetCapacity": needs.target_capacity,
                    "SpotPlacementScores": answer["SpotPlacementScores"],
                }
            )
    archive.add_text(f"scores/{format_time(now_s).replace(':', '')}.json", json.dumps(answers, indent=1))
