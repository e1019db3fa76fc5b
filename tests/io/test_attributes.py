"""Attribute-based selection: every attribute, price protection, and the reasons for what is dropped."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fleet
from fleet.domain.requirements import match
from fleet.errors import CatalogueError, RequestError

ANY = (0.0, float("inf"))


def kind(name, vcpu, gib, **fields):
    return fleet.domain.InstanceType(
        name,
        vcpu,
        gib * 1024,
        **{"current_generation": True, "bare_metal": False, "burstable": False, **fields},
    )


CATALOGUE = fleet.domain.Catalogue(
    {
        k.name: k
        for k in (
            kind("m5.large", 2, 8, cpu_manufacturer="intel", hibernation=True, local_storage_gb=0.0,
                 network_gbps=0.75, ebs_mbps=650.0, encryption_in_transit=True, cpu_performance=100.0),
            kind("m5a.large", 2, 8, cpu_manufacturer="amd", hibernation=False, local_storage_gb=0.0),
            kind("m5d.large", 2, 8, cpu_manufacturer="intel", local_storage_gb=75.0,
                 local_storage_types=("ssd",)),
            kind("c5.large", 2, 4, cpu_manufacturer="intel", cpu_performance=110.0, ebs_mbps=500.0),
            kind("m3.large", 2, 7, current_generation=False, cpu_performance=60.0),
            kind("m5.metal", 96, 384, bare_metal=True),
            kind("t3.large", 2, 8, burstable=True),
            kind("p3.2xlarge", 8, 61, accelerators=1, accelerator_type="gpu", accelerator_name="v100",
                 accelerator_manufacturer="nvidia", accelerator_memory_mib=16384, network_interfaces=4,
                 network_gbps=10.0, ebs_mbps=1750.0),
        )
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ({}, {"m5.large", "m5a.large", "m5d.large", "c5.large", "m3.large", "p3.2xlarge"}),
        ({"vcpu": (2, 4)}, {"m5.large", "m5a.large", "m5d.large", "c5.large", "m3.large"}),
        ({"memory_mib": (8192, 9000)}, {"m5.large", "m5a.large", "m5d.large"}),
        ({"memory_gib_per_vcpu": (0, 2)}, {"c5.large"}),
        ({"cpu_manufacturers": ("amd",)}, {"m5a.large"}),
        ({"generations": ("previous",)}, {"m3.large"}),
        ({"bare_metal": "required"}, {"m5.metal"}),
        ({"burstable": "included", "allowed": ("t3*",)}, {"t3.large"}),
        ({"allowed": ("m5*",)}, {"m5.large", "m5a.large", "m5d.large"}),
        ({"allowed": ("m5.*",)}, {"m5.large"}),
        ({"excluded": ("m*", "c5.large")}, {"p3.2xlarge"}),
        ({"local_storage": "required"}, {"m5d.large"}),
        ({"local_storage": "required", "local_storage_types": ("hdd",)}, set()),
        ({"accelerator_count": (1, 8)}, {"p3.2xlarge"}),
        ({"accelerator_types": ("gpu",), "accelerator_names": ("v100",)}, {"p3.2xlarge"}),
        ({"accelerator_manufacturers": ("amd",)}, set()),
        ({"accelerator_memory_mib": (20000, 99999)}, set()),
        ({"network_interfaces": (3, 9)}, {"p3.2xlarge"}),
        ({"hibernation": True}, {"m5.large"}),
        ({"network_gbps": (10, 100)}, {"p3.2xlarge"}),
        ({"network_gbps": (0.5, 1)}, {"m5.large"}),
        ({"ebs_mbps": (600, float("inf"))}, {"m5.large", "p3.2xlarge"}),
        ({"encryption_in_transit": True}, {"m5.large"}),
        ({"performance_of": "m5"}, {"m5.large", "c5.large"}),
    ],
)  # fmt: skip
def test_each_attribute(wanted, kept):
    found = match(fleet.domain.InstanceRequirements(**{"vcpu": ANY, "memory_mib": ANY, **wanted}), CATALOGUE)
    assert {k.name for k in found.types} == kept
    assert set(found.dropped) == set(CATALOGUE.types) - kept
    assert all(found.dropped.values())


def test_reasons_are_in_words():
    found = match(fleet.domain.InstanceRequirements((4, 8), ANY, hibernation=True), CATALOGUE)
    assert found.dropped["m5.large"] == "vCPU 2 is not within 4 to 8"
    assert found.dropped["t3.large"].startswith("vCPU") or "burstable" in found.dropped["t3.large"]
    assert found.dropped["p3.2xlarge"] == "the catalogue does not say whether it has hibernation"


def market():
    names = ["m5.large", "m5a.large", "m5d.large", "c5.large", "m3.large"]
    spot = [0.040, 0.030, 0.061, 0.090, 0.020]
    return fleet.Market(
        names,
        ["us-x-1a"] * 5,
        ["Linux/UNIX"] * 5,
        fleet.domain.ChangePoints.constant(spot),
        [0.096, 0.086, 0.113, 0.105, 0.133],
        0,
        10,
    )


def expand(unit="units", target=10, on_demand=0, **wanted):
    line = fleet.domain.RequirementsLine(
        fleet.domain.InstanceRequirements(**{"vcpu": ANY, "memory_mib": ANY, **wanted})
    )
    request = fleet.FleetRequest(
        target, (), requirements=(line,), target_capacity_unit_type=unit, on_demand_target_capacity=on_demand
    )
    return fleet.domain.expand(request, CATALOGUE, market())


def names(expansion):
    return {o.instance_type for o in expansion.request.overrides}


def test_price_protection_refers_to_the_cheapest_current_c_m_r():
    """m3.large is cheaper, but of the previous generation: m5a.large at 0.030 is the reference."""
    expansion = expand()
    assert names(expansion) == {"m5.large", "m5a.large", "m3.large"}
    assert expansion.dropped["m5d.large"] == "price protection: spot price $0.061 is above $0.06"
    assert expansion.dropped["p3.2xlarge"] == "no spot price"


def test_price_protection_can_be_set_and_turned_off():
    assert names(expand(spot_over_lowest=999999)) == {
        "m5.large",
        "m5a.large",
        "m5d.large",
        "c5.large",
        "m3.large",
    }
    assert names(expand(spot_over_lowest=10)) == {"m5a.large", "m3.large"}
    assert "c5.large" not in names(expand(spot_of_on_demand=80))  # 80 % of 0.086 is 0.0688
    assert "m5d.large" in names(expand(spot_of_on_demand=80))
    assert names(expand(on_demand=10)) == {"m5.large", "m5a.large"}  # 20 % above 0.086 is 0.1032


@pytest.mark.parametrize(("unit", "weight"), [("units", 1), ("vcpu", 2), ("memory-mib", 8192)])
def test_units(unit, weight):
    override = next(o for o in expand(unit).request.overrides if o.instance_type == "m5.large")
    assert override.weight == weight


def test_nothing_left_is_an_error():
    with pytest.raises(RequestError, match="must leave an instance type"):
        expand(vcpu=(1000, 2000))


def test_an_unexpanded_request_is_not_resolved():
    line = fleet.domain.RequirementsLine(fleet.domain.InstanceRequirements(ANY, ANY))
    with pytest.raises(RequestError, match="must be expanded"):
        fleet.domain.resolve(fleet.FleetRequest(1, (), requirements=(line,)), market())


CONFIG = {
    "TargetCapacity": 8,
    "TargetCapacityUnitType": "vcpu",
    "LaunchTemplateConfigs": [
        {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "t", "Version": "1"},
            "Overrides": [
                {
                    "AvailabilityZone": "us-x-1a",
                    "InstanceRequirements": {
                        "VCpuCount": {"Min": 2, "Max": 4},
                        "MemoryMiB": {"Min": 4096},
                        "ExcludedInstanceTypes": ["c5*"],
                        "CpuManufacturers": ["intel"],
                    },
                }
            ],
        }
    ],
}


def test_requirements_are_read_and_allocated():
    request = fleet.io.parse_request(CONFIG)
    assert request.requirements[0].requirements.vcpu == (2, 4)
    assert request.requirements[0].requirements.excluded == ("c5*",)
    expansion = fleet.domain.expand(request, CATALOGUE, market())
    assert names(expansion) == {"m5.large", "m5d.large"}
    resolved = fleet.domain.resolve(expansion.request, market())
    allocation = fleet.allocate(expansion.request, fleet.snapshot_at(resolved.market, resolved.pools, 5))
    assert (allocation.fulfilled_capacity, int(allocation.spot_instances.sum())) == (8, 4)


def as_fast_as(family):
    return {"BaselinePerformanceFactors": {"Cpu": {"References": [{"InstanceFamily": family}]}}}


def broken(**changes):
    config = json.loads(json.dumps(CONFIG))
    override = config["LaunchTemplateConfigs"][0]["Overrides"][0]
    override["InstanceRequirements"] |= changes.pop("requirements", {})
    override |= changes
    return config


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (broken(InstanceType="m5.large"), "must not stand together"),
        (broken(requirements={"VCpuCount": {"Max": 4}}), "VCpuCount.Min"),
        (broken(requirements={"AllowedInstanceTypes": ["m5*"]}), "must not stand together"),
        (broken(requirements={"BareMetal": "maybe"}), 'BareMetal "maybe"'),
        (broken(requirements={"NetworkBandwidthGbps": {"Min": 10, "Max": 5}}), "network_gbps from 10 to 5"),
        (broken(requirements={"AllowedInstanceTypes": ["m*"] * 401, "ExcludedInstanceTypes": []}), "401"),
        (
            broken(requirements={"BaselinePerformanceFactors": {"Cpu": {"References": []}}}),
            "must hold one InstanceFamily",
        ),
        (broken(requirements=as_fast_as("p5")), "not supported as a performance reference"),
        (broken(requirements={"CpuManufacturers": "intel"}), "must be a list"),
        (
            broken(
                requirements={
                    "SpotMaxPricePercentageOverLowestPrice": 1,
                    "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice": 1,
                }
            ),
            "must not stand together",
        ),
    ],
)  # fmt: skip
def test_broken_requirements(config, words):
    with pytest.raises(RequestError, match=words):
        fleet.io.parse_request(config)


def test_catalogues(tmp_path):
    path = tmp_path / "types.csv"
    path.write_text(
        "instance_type,vcpu,memory_mib,current_gen,gpus\nm5.large,2,8192,True,0\np3.2xlarge,8,62464,True,1\n"
    )
    catalogue = fleet.io.read_instance_types(path)
    assert len(catalogue) == 2
    assert catalogue["m5.large"].cpu_manufacturer == "intel"
    assert catalogue["p3.2xlarge"].accelerator_type == "gpu"
    with pytest.raises(CatalogueError, match=r"'z1\.large'"):
        catalogue["z1.large"]
    path.write_text("instance_type,vcpu\nm5.large,many\n")
    with pytest.raises(CatalogueError, match="line 2"):
        fleet.io.read_instance_types(path)
    (tmp_path / "bad.json").write_text('{"Types": []}')
    with pytest.raises(CatalogueError, match="describe-instance-types"):
        fleet.io.read_instance_types(tmp_path / "bad.json")


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("m5.large", "intel"), ("m6g.large", "amazon-web-services"), ("a1.large", "amazon-web-services"),
        ("c6gn.large", "amazon-web-services"), ("m5ad.large", "amd"), ("mac1.metal", "intel"),
        ("mac-m4.metal", "apple"), ("g5.xlarge", "amd"), ("g5g.xlarge", "amazon-web-services"),
        ("g4dn.xlarge", "intel"), ("g4ad.xlarge", "amd"), ("g6e.xlarge", "amd"), ("gr6f.4xlarge", "amd"),
        ("f2.6xlarge", "amd"), ("inf2.xlarge", "amd"), ("p5.48xlarge", "amd"), ("p5en.48xlarge", "intel"),
        ("z9.large", None), ("", None),
    ],
)  # fmt: skip
def test_makers_of_cpus_by_family(name, maker):
    from fleet.domain.cpu_makers import cpu_maker

    assert cpu_maker(name) == maker


def test_no_family_has_two_makers():
    from fleet.domain.cpu_makers import MAKERS

    families = [family for of in MAKERS.values() for family in of.split()]
    assert len(families) == len(set(families)) == 200


def kinds_with(tmp_path, makers):
    """A catalogue in which the API says who makes each type's CPU, or says nothing (None)."""
    records = [
        {
            "InstanceType": name,
            "VCpuInfo": {"DefaultVCpus": 4},
            "MemoryInfo": {"SizeInMiB": 16384},
            "ProcessorInfo": {"SupportedArchitectures": ["x86_64"], "Manufacturer": maker},
        }
        for name, maker in makers.items()
    ]
    (tmp_path / "types.json").write_text(json.dumps({"InstanceTypes": records}))
    return fleet.io.read_instance_types(tmp_path / "types.json")


def test_the_maker_of_a_cpu_is_what_the_api_says_else_what_is_known_of_the_family(tmp_path):
    catalogue = kinds_with(
        tmp_path, {"g5.xlarge": "AMD", "m9z.large": "AWS", "g4dn.xlarge": None, "q1.large": None}
    )
    assert [kind.cpu_manufacturer for kind in catalogue] == ["amd", "amazon-web-services", "intel", None]
    asked = fleet.domain.InstanceRequirements(
        ANY, ANY, cpu_manufacturers=("amd",), bare_metal="included", burstable="included"
    )
    found = match(asked, catalogue)
    assert [kind.name for kind in found.types] == ["g5.xlarge"]
    assert found.dropped["q1.large"] == "the catalogue names no CPU manufacturer"
    assert found.dropped["g4dn.xlarge"] == "CPU manufacturer intel is not amd"


@pytest.mark.data
def test_true_answers_of_the_api(data_dir):
    catalogue = fleet.io.read_instance_types(data_dir / "api-pages" / "DescribeInstanceTypes")
    assert catalogue["t3.micro"].burstable
    assert catalogue["g2.2xlarge"].accelerator_name == "k520"
    assert len(fleet.io.read_instance_types(data_dir / "catalog" / "instance-types-2021.csv")) == 257
    assert np.isfinite([k.vcpu for k in catalogue]).all()


RECORD = {
    "InstanceType": "x9.large",
    "VCpuInfo": {"DefaultVCpus": 2},
    "MemoryInfo": {"SizeInMiB": 8192},
}


def of_the_api(**facts):
    from fleet.io.catalogue.instance_types import Record, from_record
    from fleet.io.decoding.structs import decode

    return from_record(decode({**RECORD, **facts}, Record, "types.json"))


@pytest.mark.parametrize(
    ("network", "gbps"),
    [
        ({"NetworkPerformance": "Up to 10 Gigabit"}, None),
        ({"NetworkPerformance": "Moderate"}, None),
        ({"NetworkPerformance": "25 Gigabit"}, 25),
        ({"NetworkPerformance": "4x 100 Gigabit"}, 400),
        (
            {
                "NetworkPerformance": "Up to 12.5 Gigabit",
                "NetworkCards": [{"BaselineBandwidthInGbps": 0.781, "PeakBandwidthInGbps": 12.5}],
            },
            0.781,
        ),
        ({"NetworkCards": [{"BaselineBandwidthInGbps": 100}, {"BaselineBandwidthInGbps": 100}]}, 200),
        ({"NetworkCards": [{"NetworkCardIndex": 0}], "NetworkPerformance": "12 Gigabit"}, 12),
        ({}, None),
    ],
)
def test_network_bandwidth_is_the_baseline(network, gbps):
    assert of_the_api(NetworkInfo=network).network_gbps == gbps


def test_what_the_api_says_of_a_type():
    kind = of_the_api(
        NetworkInfo={"EncryptionInTransitSupported": True},
        EbsInfo={"EbsOptimizedSupport": "default", "EbsOptimizedInfo": {"BaselineBandwidthInMbps": 630}},
        PlacementGroupInfo={"SupportedStrategies": ["partition", "spread"]},
        GpuInfo={
            "Gpus": [{"Name": "Radeon Pro V520", "Manufacturer": "AMD", "Count": 2}],
            "TotalGpuMemoryInMiB": 16384,
        },
    )
    assert (kind.ebs_mbps, kind.encryption_in_transit) == (630, True)
    assert kind.placement_strategies == ("partition", "spread")
    assert (kind.accelerators, kind.accelerator_name) == (2, "radeon-pro-v520")
    none = of_the_api(EbsInfo={"EbsOptimizedSupport": "unsupported"})
    assert (none.ebs_mbps, none.placement_strategies) == (0, None)
    neuron = of_the_api(
        NeuronInfo={
            "NeuronDevices": [{"Name": "Trainium", "Manufacturer": "AWS", "Count": 1}],
            "TotalNeuronDeviceMemoryInMiB": 32768,
        }
    )
    assert (neuron.accelerator_type, neuron.accelerator_memory_mib) == ("inference", 32768)


def test_performance_is_never_guessed(tmp_path):
    request = fleet.io.parse_request(broken(requirements=as_fast_as("c6i")))
    assert request.requirements[0].requirements.performance_of == "c6i"
    with pytest.raises(RequestError, match="AWS does not publish"):
        fleet.domain.expand(request, CATALOGUE, market())
    path = tmp_path / "types.csv"
    path.write_text(
        "instance_type,vcpu,memory_mib,cpu_performance,network_gbps\n"
        "m5.large,2,8192,100,0.75\nm5d.large,2,8192,90,\nc6i.large,2,4096,95,1.2\nm6in.large,2,8192,,\n"
    )
    catalogue = fleet.io.read_instance_types(path)
    assert catalogue["m5.large"].network_gbps == 0.75
    found = match(request.requirements[0].requirements, catalogue)
    assert {k.name for k in found.types} == {"m5.large", "c6i.large"}
    assert found.dropped["m5d.large"] == "CPU performance 90 is below 95 of c6i"
    assert found.dropped["m6in.large"] == "the catalogue does not say its CPU performance"
    path.write_text("instance_type,vcpu,memory_mib,ebs_mbps\nm5.large,2,8192,fast\n")
    with pytest.raises(CatalogueError, match='ebs_mbps "fast"'):
        fleet.io.read_instance_types(path)


def test_a_default_of_the_service_that_is_not_published_is_noted():
    assert any("automatic rule is not published" in note for note in expand().request.notes)
    assert not any("automatic" in note for note in expand(spot_over_lowest=50).request.notes)
    assert not any("automatic" in note for note in expand(on_demand=10).request.notes)


def test_a_catalogue_says_what_instances_bring():
    brings = CATALOGUE.resources()
    assert (brings["vcpu"]["m5.large"], brings["memory_gib"]["m5.large"]) == (2, 8)
    assert brings["gpus"] == {"p3.2xlarge": 1}


@pytest.mark.parametrize(
    ("types", "kept"),
    [
        ({"m5.large": 0.05, "i3.large": 0.03, "c5.large": 0.09, "m3.large": 0.02}, 4),  # m5 sets 0.10
        ({"i3.large": 0.03, "d2.large": 0.055, "d2.xlarge": 0.07, "m3.large": 0.02}, 3),  # i3 sets 0.06
        ({"m3.large": 0.02, "m3.xlarge": 0.05, "c3.large": 0.03}, 2),  # only the previous generation: 0.04
    ],
    ids=["a current C, M or R", "any current", "any"],
)
def test_the_reference_of_price_protection(types, kept):
    catalogue = fleet.domain.Catalogue(
        {name: kind(name, 2, 8, current_generation=name[1] not in "3" or name[0] == "i") for name in types}
    )
    line = fleet.domain.RequirementsLine(fleet.domain.InstanceRequirements(ANY, ANY))
    count = len(types)
    shop = fleet.Market(
        list(types),
        ["us-x-1a"] * count,
        ["Linux/UNIX"] * count,
        fleet.domain.ChangePoints.constant(list(types.values())),
        [1.0] * count,
        0,
        10,
    )
    expansion = fleet.domain.expand(fleet.FleetRequest(1, (), requirements=(line,)), catalogue, shop)
    assert len(expansion.request.overrides) == kept
    assert all(reason.startswith("price protection") for reason in expansion.dropped.values())
