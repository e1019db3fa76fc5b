"""A request and a market for exports, and AWS's own service model as judge of what is written."""

from __future__ import annotations

from functools import lru_cache

import botocore.session
from botocore.validate import ParamValidator

import fleet

IDENTITY = fleet.export.LaunchIdentity("lt-0123456789abcdef0", "3", "arn:aws:iam::123456789012:role/fleet")
OPERATIONS = {
    "spot-fleet": ("ec2", "RequestSpotFleet"),
    "create-fleet": ("ec2", "CreateFleet"),
    "auto-scaling-group": ("autoscaling", "CreateAutoScalingGroup"),
}
ROWS = (
    ("m5.large", "us-east-1a", 1, 0.035, 0.096),
    ("m5.large", "us-east-1b", 1, 0.034, 0.096),
    ("m5.xlarge", "us-east-1a", 2, 0.071, 0.192),
    ("c5.2xlarge", "us-east-1b", 4, 0.130, 0.340),
)


def market(rows=ROWS, available=None):
    types, zones, weights, prices, listed = zip(*rows, strict=True)
    pools = fleet.LaunchPools.of(types, zones, weight=weights, on_demand_price=listed)
    return fleet.Snapshot.of(pools, list(prices), available)


def request(target=20, rows=ROWS, **changes):
    overrides = tuple(fleet.Override(name, zone, weight) for name, zone, weight, *_ in rows)
    return fleet.FleetRequest(target, overrides, **changes)


@lru_cache
def input_shape(service, operation):
    return botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape


def valid(form, document):
    body = {"SpotFleetRequestConfig": document} if form == "spot-fleet" else document
    report = ParamValidator().validate(body, input_shape(*OPERATIONS[form]))
    assert not report.has_errors(), report.generate_report()
