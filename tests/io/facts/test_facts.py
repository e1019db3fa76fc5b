"""What ships of EC2's facts: looked up, used where the user gave no file of his own, dated and sourced."""

from __future__ import annotations

import csv
import gzip
import json
import tomllib
from datetime import date

import pytest

import fleet
from fleet.domain.cpu_makers import cpu_maker
from fleet.io.facts import Facts, own_folder
from fleet.io.facts.tables import SHIPPED
from tests.helpers.in_process import run_spotfleet

PRICES = """AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp
us-east-1a,m5.large,Linux/UNIX,0.035,2021-05-01T00:00:00Z
us-east-1b,c5.large,Linux/UNIX,0.034,2021-05-01T06:00:00Z
"""
REQUEST = {
    "TargetCapacity": 4,
    "LaunchSpecifications": [{"InstanceType": "m5.large"}, {"InstanceType": "c5.large"}],
}


@pytest.fixture(autouse=True)
def _no_own_copy(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


@pytest.fixture
def files(tmp_path):
    (tmp_path / "prices.csv").write_text(PRICES)
    (tmp_path / "fleet.json").write_text(json.dumps(REQUEST))
    return tmp_path


def table(name):
    with gzip.open(SHIPPED / name, "rt") as stream:
        return list(csv.DictReader(stream))


def test_each_lookup_is_the_row_of_the_table():
    facts = Facts()
    for row in table("on-demand.csv.gz")[::97]:
        price = facts.on_demand(row["region"], row["instance_type"])
        if row["linux_ondemand_usd"]:
            assert (price.usd_per_hour, price.as_of) == (float(row["linux_ondemand_usd"]), row["as_of"])
            assert (price.kind, price.source) == ("listed", row["source"])
        else:
            assert price is None
    for row in table("advisor.csv.gz")[::197]:
        rating = facts.rating(row["region"], row["instance_type"], row["system"])
        assert (rating.bucket, rating.savings_percent) == (int(row["bucket"]), float(row["savings_percent"]))
    for row in table("offerings.csv.gz")[::197]:
        assert facts.zones_offering(row["region"], row["instance_type"]) == tuple(row["zone_ids"].split())


def test_what_is_computed_and_inferred_is_called_so():
    computed = Facts().on_demand("af-south-1", "c5.12xlarge", "Windows")
    assert (computed.usd_per_hour, computed.kind) == (4.944, "computed")
    assert Facts().on_demand("af-south-1", "c7g.12xlarge") is None
    inferred = Facts(inferred=True).on_demand("af-south-1", "c7g.12xlarge")
    assert (inferred.usd_per_hour, inferred.kind, inferred.as_of) == (2.33365, "inferred", None)


def test_what_nobody_knows_is_none():
    facts = Facts()
    assert facts.on_demand("us-x-1", "m5.large") is None
    assert facts.on_demand("us-east-1", "m5.larg") is None
    assert facts.on_demand("us-east-1", "m5.large", "Plan 9") is None
    assert facts.zones_offering("us-gov-west-1", "m5.large") is None  # nothing is known of the region
    assert facts.zones_offering("us-east-1", "none.large") == ()
    assert facts.rating("us-east-1", "none.large") is None
    assert facts.instance_type("none.large") is None


def test_the_catalogue_has_the_types_and_their_makers():
    facts = Facts()
    catalogue = facts.catalogue()
    assert len(catalogue) == 1422
    assert {kind.name for kind in catalogue if kind.cpu_manufacturer != cpu_maker(kind.name)} == set()
    inf2, m5d = catalogue["inf2.xlarge"], catalogue["m5d.large"]
    assert (inf2.cpu_manufacturer, inf2.accelerator_type, inf2.accelerators) == ("amd", "inference", 1)
    assert (m5d.local_storage_gb, m5d.local_storage_types, m5d.memory_mib) == (75, ("ssd",), 8192)
    assert facts.instance_type("m5d.large").as_of == "2026-10"


def test_the_users_own_copy_wins(tmp_path):
    own = own_folder()
    own.mkdir(parents=True)
    head = "region,instance_type,linux_ondemand_usd,as_of,source,computed\n"
    own.joinpath("on-demand.csv.gz").write_bytes(
        gzip.compress(f"{head}us-east-1,m5.large,0.09,2026-12-01,aws,\n".encode())
    )
    facts = Facts(own)
    assert facts.on_demand("us-east-1", "m5.large").usd_per_hour == 0.09
    assert facts.on_demand("us-east-1", "c5.large").usd_per_hour == 0.085
    own.joinpath("on-demand.csv.gz").write_bytes(b"\x1f\x8bnothing")
    with pytest.raises(fleet.InputError, match="damaged"):
        Facts(own).on_demand("us-east-1", "m5.large")


def test_a_market_gets_what_it_lacks_and_keeps_what_it_has(files):
    market = fleet.read_prices(files / "prices.csv").market.with_on_demand([0.5, float("nan")])
    full, used = Facts().apply(market, date(2026, 12, 1))
    assert sorted(full.on_demand_price.tolist()) in ([0.085, 0.5], [0.096, 0.5])
    assert (used.pools, used.known, used.age_months) == (2, 1, 1)
    assert not any("months old" in note for note in used.notes())
    _, old = Facts().apply(market, date(2028, 1, 1))
    assert any("14 months old" in note for note in old.notes())


def test_a_pool_that_its_zone_does_not_offer_is_named(files):
    market = fleet.read_prices(files / "prices.csv").market
    _, used = Facts().apply(market, date(2026, 12, 1), {"us-east-1a": "use1-az9"})
    assert used.not_offered == ("m5.large us-east-1a",)
    assert any("not offered by their zone: m5.large us-east-1a" in note for note in used.notes())


def test_allocate_knows_on_demand_prices_and_says_whence(files):
    answer = run_spotfleet("allocate", "fleet.json", "--prices", "prices.csv", "--json", folder=files)
    facts = answer.json["facts"]
    assert answer.status == 0
    assert facts["on_demand"]["listed"] == 2
    assert facts["on_demand"]["as_of"] == ["2026-07-20", "2026-07-20"]
    assert any("list prices of 2026-07-20" in line for line in answer.json["warnings"])
    without = run_spotfleet(
        "allocate", "fleet.json", "--prices", "prices.csv", "--no-facts", "--json", folder=files
    )
    assert "facts" not in without.json
    assert any("neither max price nor on-demand" in line for line in without.json["warnings"])


def test_a_list_of_the_users_own_is_never_overruled(files):
    (files / "od.csv").write_text("region,type,linux_ondemand_usd\nus-east-1,m5.large,0.2\n")
    own = ("--prices", "prices.csv", "--on-demand", "od.csv", "--json")
    answer = run_spotfleet("allocate", "fleet.json", *own, folder=files)
    assert "facts" not in answer.json
    assert any("on-demand price unknown for 1 of 2" in line for line in answer.json["warnings"])


def test_replay_and_compare_know_them_too(files):
    one = run_spotfleet("replay", "fleet.json", "--prices", "prices.csv", "--json", folder=files).json
    many = run_spotfleet("compare", "fleet.json", "--prices", "prices.csv", "--json", folder=files).json
    assert one["facts"]["on_demand"]["known"] == 2
    assert {record["facts"]["on_demand"]["known"] for record in many} == {2}


def test_attributes_need_no_catalogue_at_hand(files):
    wanted = {"VCpuCount": {"Min": 2, "Max": 2}, "MemoryMiB": {"Min": 8000}}
    document = {
        "TargetCapacity": 4,
        "LaunchTemplateConfigs": [
            {
                "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "1"},
                "Overrides": [{"InstanceRequirements": wanted}],
            }
        ],
    }
    (files / "fleet.json").write_text(json.dumps(document))
    answer = run_spotfleet("allocate", "fleet.json", "--prices", "prices.csv", "--json", folder=files)
    assert answer.status == 0, answer.err
    assert {line["instance_type"] for line in answer.json["allocations"]} == {"m5.large"}
    refused = run_spotfleet("allocate", "fleet.json", "--prices", "prices.csv", "--no-facts", folder=files)
    assert refused.status == 2
    assert "pass --instance-types FILE" in refused.err


def test_each_notice_that_the_package_names_is_there(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert [name for name in project["license-files"] if not (root / name).is_file()] == []
