"""A request meets a market on the command line: pools without prices, products, expiry, price protection."""

from __future__ import annotations

import json

import pytest

import fleet
from fleet.errors import PriceDataError
from tests.helpers.in_process import run_spotfleet

HEADER = "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp"


def line(kind="m5.large", **fields):
    return {"ImageId": "ami-1", "InstanceType": kind, **fields}


def zoned(kind, *zones):
    return [line(kind, Placement={"AvailabilityZone": zone}) for zone in zones]


def spot_fleet(*lines, **fields):
    return {
        "Type": "maintain",
        "TargetCapacity": 2,
        "LaunchSpecifications": list(lines) or [line()],
        **fields,
    }


def create_fleet(*lines, default="spot", **fields):
    return {
        "LaunchTemplateConfigs": [{"Overrides": list(lines)}],
        "TargetCapacitySpecification": {"TotalTargetCapacity": 3, "DefaultTargetCapacityType": default},
        **fields,
    }


@pytest.fixture
def ask(tmp_path):
    """Return a function that writes a request beside a market and allocates it."""
    rows = [HEADER]
    for day in (1, 2):
        for zone, kind, price in [
            ("us-x-1a", "m5.large", 0.040),
            ("us-x-1b", "m5.large", 0.041),
            ("us-x-1a", "c5.large", 0.035),
            ("us-x-1a", "p3.2xlarge", 0.92),
            ("us-x-1b", "p3.2xlarge", 0.95),
        ]:
            rows.append(f"{zone},{kind},Linux/UNIX,{price},2024-03-0{day}T00:00:00Z")
    (tmp_path / "prices.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "od.csv").write_text(
        "region,instance_type,on_demand_usd\nus-x-1,m5.large,0.096\nus-x-1,c5.large,0.085\nus-x-1,p3.2xlarge,3.06\n"
    )
    (tmp_path / "types.csv").write_text(
        "instance_type,vcpu,memory_mib,current_generation,bare_metal,burstable\n"
        "m5.large,2,8192,true,false,false\nc5.large,2,4096,true,false,false\n"
    )

    def asked(request, *options, on_demand=True):
        (tmp_path / "fleet.json").write_text(json.dumps(request))
        listed = ("--on-demand", "od.csv") if on_demand else ()
        command = ("allocate", "fleet.json", "--prices", "prices.csv", *listed, "--json", *options)
        return run_spotfleet(*command, folder=tmp_path)

    return asked


def bought(answer):
    return {(p["instance_type"], p["availability_zone"]): p["instances"] for p in answer.json["allocations"]}


def test_a_pool_without_history_is_left_out_with_a_note(ask):
    answer = ask(spot_fleet(*zoned("p3.2xlarge", "us-x-1a", "us-x-1b", "us-x-1c")))
    assert answer.status == 0, answer.err
    assert bought(answer) == {("p3.2xlarge", "us-x-1a"): 2}
    assert "no Linux/UNIX price of p3.2xlarge in us-x-1c: it is left out" in answer.json["warnings"]


def test_no_pool_with_history_is_an_error_that_names_all(ask):
    answer = ask(spot_fleet(*zoned("p3.2xlarge", "us-x-1c"), line("p4.huge")))
    assert answer.status == 2
    both = "no Linux/UNIX price of p3.2xlarge in us-x-1c; no Linux/UNIX price of p4.huge in any zone"
    assert f"{both}: must be known for at least one pool" in answer.err


def test_the_replay_goes_on_without_it_too(ask, tmp_path):
    ask(spot_fleet(*zoned("p3.2xlarge", "us-x-1a", "us-x-1c")))
    answer = run_spotfleet(
        "replay", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv", "--json", folder=tmp_path
    )
    assert answer.status == 0, answer.err
    assert any("us-x-1c: it is left out" in warning for warning in answer.json["warnings"])


def test_the_product_of_a_vpc_is_the_product(ask):
    assert bought(ask(spot_fleet(), "--product", "Linux/UNIX (Amazon VPC)")) == bought(ask(spot_fleet()))
    refused = ask(spot_fleet(), "--product", "Windows (Amazon VPC)")
    assert refused.status == 2
    assert "product 'Windows'" in refused.err


def test_resolve_takes_the_word_too():
    points = fleet.domain.ChangePoints.constant([0.04])
    market = fleet.Market(["m5.large"], ["us-x-1a"], ["Linux/UNIX"], points, [0.1], 0, 10)
    request = fleet.FleetRequest(1, (fleet.Override("m5.large"), fleet.Override("c5.large")))
    resolved = fleet.domain.resolve(request, market, "Linux/UNIX (Amazon VPC)")
    assert len(resolved.pools) == 1
    assert [missing.reason for missing in resolved.left_out] == [
        "no Linux/UNIX price of c5.large in any zone"
    ]
    with pytest.raises(PriceDataError, match="at least one pool"):
        fleet.domain.resolve(fleet.FleetRequest(1, (fleet.Override("c5.large"),)), market)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ValidUntil": "2019-11-04T20:44:20Z"}, "ended at ValidUntil 2019-11-04T20:44:20+0000: AWS"),
        ({"ValidFrom": "2034-01-01T00:00:00Z"}, "opens at ValidFrom 2034-01-01T00:00:00+0000: AWS"),
    ],
)  # fmt: skip
def test_a_request_outside_its_time_says_so(ask, fields, words):
    answer = ask(spot_fleet(**fields))
    assert answer.status == 0, answer.err
    assert any(words in warning for warning in answer.json["warnings"])
    assert not any(words in warning for warning in ask(spot_fleet()).json["warnings"])


def test_a_request_is_open_from_valid_from_until_before_valid_until():
    stated = spot_fleet(ValidFrom="2024-03-01T00:00:00Z", ValidUntil="2024-03-02T00:00:00Z")
    request = fleet.io.parse_request(stated)
    opens, ends = (int(moment.timestamp()) for moment in (request.valid_from, request.valid_until))
    assert [request.closed_at(at) is None for at in (opens - 1, opens, ends - 1, ends)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_fractional_priorities_decide_the_on_demand_part(ask):
    lines = [
        {"InstanceType": kind, "AvailabilityZone": "us-x-1a", "Priority": priority}
        for kind, priority in [("m5.large", 0.096), ("c5.large", 0.085), ("p3.2xlarge", 3.06)]
    ]
    asked = create_fleet(
        *lines, default="on-demand", Type="instant", OnDemandOptions={"AllocationStrategy": "prioritized"}
    )
    answer = ask(asked)
    assert answer.status == 0, answer.err
    assert bought(answer) == {("c5.large", "us-x-1a"): 3}


def by_attributes(**fields):
    least = {"VCpuCount": {"Min": 2, "Max": 4}, "MemoryMiB": {"Min": 4096}}
    return create_fleet({"InstanceRequirements": {**least, **fields}})


def test_price_protection_that_cannot_be_applied_is_refused(ask):
    half = by_attributes(MaxSpotPriceAsPercentageOfOptimalOnDemandPrice=41.5)
    answer = ask(half, "--instance-types", "types.csv", on_demand=False)
    assert answer.status == 2
    assert "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice 41.5: must have on-demand prices" in answer.err
    told = ask(half, "--instance-types", "types.csv")
    assert {kind for kind, _ in bought(told)} == {"c5.large"}
    off = by_attributes(MaxSpotPriceAsPercentageOfOptimalOnDemandPrice=999_999)
    assert ask(off, "--instance-types", "types.csv", on_demand=False).status == 0
