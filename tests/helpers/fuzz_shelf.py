"""Valid inputs of every kind, and the doors by which the command line takes them: what the fuzzer spoils."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

TEMPLATE = {"LaunchTemplateSpecification": {"LaunchTemplateName": "t", "Version": "1"}}
TYPES = [{"InstanceType": "m5.large", "WeightedCapacity": 2}, {"InstanceType": "m5.xlarge"}]
FLEET = {
    "SpotFleetRequestConfig": {
        "TargetCapacity": 10,
        "OnDemandTargetCapacity": 2,
        "SpotPrice": "0.2",
        "AllocationStrategy": "diversified",
        "Type": "maintain",
        "ValidFrom": "2021-04-30T00:00:00Z",
        "ValidUntil": "2021-06-01T00:00:00Z",
        "InstanceInterruptionBehavior": "terminate",
        "LaunchSpecifications": [
            {"InstanceType": "m5.large", "WeightedCapacity": 2, "SpotPrice": "0.09", "SubnetId": "subnet-1"},
            {
                "InstanceType": "m5.xlarge",
                "WeightedCapacity": 4,
                "Placement": {"AvailabilityZone": "us-x-1a", "Tenancy": "default"},
                "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
            },
        ],
    }
}
ATTRIBUTES = {
    "VCpuCount": {"Min": 2, "Max": 8},
    "MemoryMiB": {"Min": 1024},
    "CpuManufacturers": ["intel"],
    "BurstablePerformance": "excluded",
    "SpotMaxPricePercentageOverLowestPrice": 200,
}
CREATE_FLEET = {
    "Type": "maintain",
    "TargetCapacitySpecification": {
        "TotalTargetCapacity": 10,
        "OnDemandTargetCapacity": 1,
        "SpotTargetCapacity": 9,
        "DefaultTargetCapacityType": "spot",
        "TargetCapacityUnitType": "units",
    },
    "SpotOptions": {"AllocationStrategy": "price-capacity-optimized", "MaxTotalPrice": "3"},
    "OnDemandOptions": {"AllocationStrategy": "lowest-price"},
    "LaunchTemplateConfigs": [
        {
            **TEMPLATE,
            "Overrides": [
                {"InstanceType": "m5.large", "AvailabilityZone": "us-x-1a", "Priority": 1, "MaxPrice": "1"},
                {"InstanceType": "m5.xlarge", "WeightedCapacity": 2},
            ],
        }
    ],
}
ATTRIBUTE_FLEET = {
    "TargetCapacitySpecification": {"TotalTargetCapacity": 4, "DefaultTargetCapacityType": "spot"},
    "LaunchTemplateConfigs": [{**TEMPLATE, "Overrides": [{"InstanceRequirements": ATTRIBUTES}]}],
}
GROUP = {
    "DesiredCapacity": 10,
    "MinSize": 1,
    "MaxSize": 20,
    "AvailabilityZones": ["us-x-1a", "us-x-1b"],
    "MixedInstancesPolicy": {
        "LaunchTemplate": {**TEMPLATE, "Overrides": TYPES},
        "InstancesDistribution": {
            "OnDemandBaseCapacity": 2,
            "OnDemandPercentageAboveBaseCapacity": 50,
            "SpotAllocationStrategy": "lowest-price",
            "SpotInstancePools": 2,
        },
    },
}
CLOUDFORMATION = {
    "Type": "AWS::EC2::SpotFleet",
    "Properties": {
        "SpotFleetRequestConfigData": {
            "TargetCapacity": 4,
            "IamFleetRole": "arn:aws:iam::1:role/r",
            "LaunchSpecifications": [{"InstanceType": "m5.large", "ImageId": "ami-1"}],
        }
    },
}
SPOT = {
    "InstanceCount": 2,
    "SpotPrice": "0.2",
    "Type": "persistent",
    "ValidUntil": "2021-05-02T00:00:00Z",
    "InstanceInterruptionBehavior": "stop",
    "LaunchSpecification": {"InstanceType": "m5.large", "Placement": {"AvailabilityZone": "us-x-1a"}},
}
ROWS = [
    ("us-x-1a", "m5.large", "Linux/UNIX", "0.035", "2021-05-01T00:00:00Z"),
    ("us-x-1a", "m5.large", "Linux/UNIX", "0.034", "2021-05-01T06:00:00Z"),
    ("us-x-1b", "m5.large", "Linux/UNIX", "0.036", "2021-05-01T00:00:00Z"),
    ("us-x-1a", "m5.xlarge", "Linux/UNIX", "0.08", "2021-05-01T00:00:00Z"),
    ("us-x-1a", "m5.xlarge", "Linux/UNIX", "0.08", "2021-05-02T00:00:00Z"),
]
COLUMNS = ("AvailabilityZone", "InstanceType", "ProductDescription", "SpotPrice", "Timestamp")
HISTORY = {"SpotPriceHistory": [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]}
TYPES_ANSWER = {
    "InstanceTypes": [
        {
            "InstanceType": name,
            "CurrentGeneration": True,
            "BareMetal": False,
            "BurstablePerformanceSupported": False,
            "HibernationSupported": True,
            "VCpuInfo": {"DefaultVCpus": vcpu, "DefaultCores": 1},
            "MemoryInfo": {"SizeInMiB": 4096 * vcpu},
            "ProcessorInfo": {"SupportedArchitectures": ["x86_64"], "Manufacturer": "Intel"},
            "EbsInfo": {"EbsOptimizedInfo": {"BaselineBandwidthInMbps": 650}},
            "NetworkInfo": {"NetworkPerformance": "Up to 10 Gigabit", "MaximumNetworkInterfaces": 3},
            "GpuInfo": {"Gpus": [{"Name": "T4", "Manufacturer": "NVIDIA", "Count": 1}]},
            "PlacementGroupInfo": {"SupportedStrategies": ["cluster", "spread"]},
        }
        for name, vcpu in (("m5.large", 2), ("m5.xlarge", 4))
    ]
}
SCORES = {
    "InstanceTypes": ["m5.large"],
    "TargetCapacity": 10,
    "SpotPlacementScores": [{"Region": "us-x-1", "AvailabilityZoneId": "usx1-az2", "Score": 7}],
}
ZONES = {"AvailabilityZones": [{"ZoneName": "us-x-1a", "ZoneId": "usx1-az2"}]}
ADVISOR = {
    "ranges": [{"index": k, "label": f"<{k}%", "max": 5 * k, "dots": k} for k in range(5)],
    "spot_advisor": {"us-x-1": {"Linux": {"m5.large": {"s": 50, "r": 3}, "m5.xlarge": {"s": 1, "r": 0}}}},
}
RUNNING = {
    "Reservations": [
        {
            "Instances": [
                {
                    "InstanceId": "i-1",
                    "InstanceType": "m5.large",
                    "Placement": {"AvailabilityZone": "us-x-1a"},
                    "State": {"Code": 16, "Name": "running"},
                    "InstanceLifecycle": "spot",
                    "LaunchTime": "2021-05-01T00:00:00+00:00",
                }
            ]
        }
    ]
}
WARNING = {
    "version": "0",
    "detail-type": "EC2 Spot Instance Interruption Warning",
    "source": "aws.ec2",
    "time": "2021-05-01T05:00:00Z",
    "region": "us-x-1",
    "detail": {"instance-id": "i-1", "instance-action": "terminate"},
}
SCHEDULE = {
    "Changes": [{"At": "2021-05-01T06:00:00Z", "TargetCapacity": 20}],
    "Cancel": {"At": "2021-05-01T18:00:00Z", "TerminateInstances": True},
}
TERMS = {"rule": "hour-start", "free_first_hour": False}
TRACE = {"metadata": {"gap_seconds": 600}, "data": [1, 1, 0, 1] * 12}
CONFIG = """[defaults]
on-demand = "od.csv"
seed = 3
[allocate]
max-share = ["zone=0.9", "pool=1"]
json = true
"""
ON_DEMAND = (
    "az,type,linux_ondemand_usd\nus-x-1a,m5.large,0.096\nus-x-1b,m5.large,0.096\nus-x-1a,m5.xlarge,0.192\n"
)
CAPACITY = (
    "instance_type,availability_zone,available,product,time\n"
    "m5.large,us-x-1a,3,Linux/UNIX,2021-05-01T00:00:00Z\n"
    "m5.large,us-x-1a,9,Linux/UNIX,2021-05-01T09:00:00Z\n"
    "m5.xlarge,us-x-1a,5,Linux/UNIX,2021-05-01T00:00:00Z\n"
)
COUNTS = "instance_type,availability_zone,instances\nm5.large,us-x-1a,2\n"
FEED = (
    "#Version: 1.0\n#Fields: Timestamp UsageType Operation InstanceID MyBidID MyMaxPrice MarketPrice Charge "
    "Version\n2021-05-01 00:00:00 UTC\tSpotUsage:m5.large\tRunInstances\ti-1\tsir-1\t0.0960000000 USD\t"
    "0.0350000000 USD\t0.0350000000 USD\t1\n"
)


def table(separator: str, *, head: bool = True) -> bytes:
    """Return the price rows as text."""
    lines = [COLUMNS, *ROWS] if head else ROWS
    return "".join(f"{separator.join(line)}\n" for line in lines).encode()


def parquet(columns: dict[str, list[object]]) -> bytes:
    """Return columns as a Parquet file."""
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    """Return files as a zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return stream.getvalue()


PARQUET = {name: [row[k] for row in ROWS] for k, name in enumerate(COLUMNS)}
MARKET = {
    "fleet.json": json.dumps(FLEET).encode(),
    "prices.csv": table(","),
    "od.csv": ON_DEMAND.encode(),
    "types.json": json.dumps(TYPES_ANSWER).encode(),
}
PRICED = ("--prices", "prices.csv", "--on-demand", "od.csv")
SUBNETS = ("--subnet-zone", "subnet-1=us-x-1b")
REPLAY = ("replay", "fleet.json", *PRICED, *SUBNETS)
ALLOCATE = ("allocate", "fleet.json", *PRICED, *SUBNETS)


@dataclass(frozen=True)
class Door:
    """A file that a command takes: its name, a valid content, and the command.

    ``kind`` says how it is spoiled (``json``, ``lines`` of JSON, ``table``, ``columns`` or ``text``),
    ``packed`` how it is packed then.
    """

    name: str
    file: str
    valid: object
    kind: str
    command: tuple[str, ...]
    packed: str = ""


def allocating(file: str, *more: str) -> tuple[str, ...]:
    """Return the command that reads a request."""
    return ("allocate", file, *PRICED, *SUBNETS, *more)


def priced(file: str) -> tuple[str, ...]:
    """Return the command that reads prices."""
    return ("allocate", "fleet.json", "--prices", file, "--on-demand", "od.csv", *SUBNETS)


TRACES = (
    "--availability",
    "traces",
    "--polarity",
    "available",
    "--spot-price",
    "0.1",
    "--on-demand-price",
    "1",
)
DOORS = (
    Door("spot fleet", "r.json", FLEET, "json", allocating("r.json")),
    Door("spot fleet replayed", "r.json", FLEET, "json", ("replay", *allocating("r.json")[1:])),
    Door("create fleet", "r.json", CREATE_FLEET, "json", allocating("r.json")),
    Door("create fleet replayed", "r.json", CREATE_FLEET, "json", ("replay", *allocating("r.json")[1:])),
    Door(
        "attributes",
        "r.json",
        ATTRIBUTE_FLEET,
        "json",
        allocating("r.json", "--instance-types", "types.json"),
    ),
    Door("group", "r.json", GROUP, "json", allocating("r.json")),
    Door("cloudformation", "r.json", CLOUDFORMATION, "json", allocating("r.json")),
    Door("request exported", "r.json", FLEET, "json", allocating("r.json", "--export", "create-fleet=-")),
    Door("single request", "s.json", SPOT, "json", ("request", "s.json", *PRICED)),
    Door("prices JSON", "p.json", HISTORY, "json", priced("p.json")),
    Door("prices CSV", "p.csv", table(","), "table", priced("p.csv")),
    Door("prices TSV", "p.tsv", table("\t", head=False), "table", priced("p.tsv")),
    Door("prices gz", "p.csv.gz", table(","), "table", priced("p.csv.gz"), "gz"),
    Door("prices zip", "p.zip", table(","), "table", priced("p.zip"), "zip"),
    Door("prices zst", "p.tsv.zst", table("\t"), "table", priced("p.tsv.zst"), "zst"),
    Door("prices Parquet", "p.parquet", PARQUET, "columns", priced("p.parquet")),
    Door("prices folder", "history/p.json", HISTORY, "json", priced("history")),
    Door("on-demand", "o.csv", ON_DEMAND.encode(), "table", (*ALLOCATE, "--on-demand", "o.csv")),
    Door("capacity", "c.csv", CAPACITY.encode(), "table", (*REPLAY, "--capacity", "c.csv")),
    Door(
        "instance types",
        "t.json",
        TYPES_ANSWER,
        "json",
        (*ALLOCATE, "--instance-types", "t.json", "--at-least", "vcpu=2", "--rounding", "exact"),
    ),
    Door("scores", "s.json", SCORES, "json", (*ALLOCATE, "--scores", "s.json", "--zones", "z.json")),
    Door("zones", "z.json", ZONES, "json", (*ALLOCATE, "--zones", "z.json")),
    Door("advisor", "a.json", ADVISOR, "json", (*REPLAY, "--advisor", "a.json")),
    Door("running", "n.json", RUNNING, "json", (*ALLOCATE, "--running", "n.json")),
    Door("running CSV", "n.csv", COUNTS.encode(), "table", (*ALLOCATE, "--running", "n.csv")),
    Door("reservations", "n.csv", COUNTS.encode(), "table", (*ALLOCATE, "--reservations", "n.csv")),
    Door(
        "interruption log",
        "l.json",
        [RUNNING, WARNING],
        "lines",
        (*REPLAY, "--hazard", "exponential:fit", "--interruption-log", "l.json"),
    ),
    Door("schedule", "h.json", SCHEDULE, "json", (*REPLAY, "--schedule", "h.json")),
    Door("terms", "b.json", TERMS, "json", (*REPLAY, "--billing", "b.json")),
    Door(
        "traces",
        "traces/us-x-1a_v100_1.json",
        TRACE,
        "json",
        ("job", *TRACES, "--work", "2", "--deadline", "5", "--restart-overhead", "0.1"),
    ),
    Door(
        "traces of a service",
        "traces/us-x-1a_v100_1.json",
        TRACE,
        "json",
        ("service", *TRACES, "--replicas", "2"),
    ),
    Door(
        "traces of a replay",
        "traces/us-x-1a_v100_1.json",
        TRACE,
        "json",
        (*REPLAY, *TRACES[:4], "--availability-start", "2021-05-01T00:00:00Z", "--trace-type", "m5.large"),
    ),
    Door("config", "spotfleet.toml", CONFIG.encode(), "text", ALLOCATE),
    Door("data feed", "feed.gz", FEED.encode(), "table", ("read_data_feed", "feed.gz"), "gz"),
    Door(
        "archive head",
        "kept/archive.json",
        {"format": "spotfleet archive", "version": 1},
        "json",
        ("archive", "kept"),
    ),
    Door(
        "archive prices",
        "kept/prices/us-x-1/m5.large/Linux-UNIX/20210501T000000Z--20210502T000000Z.parquet",
        {name: PARQUET[name] for name in COLUMNS},
        "columns",
        ("archive", "kept"),
    ),
    Door(
        "market folder",
        "market/market.json",
        {"format": "spotfleet market", "version": 1},
        "json",
        priced("market"),
    ),
)

SECOND = "2021-05-01T12:00:00Z"
VALUES = (
    (ALLOCATE, "--at", SECOND),
    (ALLOCATE, "--strategy", "diversified"),
    (ALLOCATE, "--rounding", "exact"),
    (ALLOCATE, "--solver", "pulp:PULP_CBC_CMD"),
    (ALLOCATE, "--max-share", "zone:us-x-1a=0.4"),
    (ALLOCATE, "--max-count", "family:m5=3"),
    (ALLOCATE, "--min-pools", "2"),
    (ALLOCATE, "--survive", "zone"),
    ((*ALLOCATE, "--instance-types", "types.json"), "--at-least", "vcpu=8"),
    (ALLOCATE, "--placement", "partition:5"),
    (ALLOCATE, "--fail-if", "cost_per_hour > 1"),
    (ALLOCATE, "--launch-template", "web:7"),
    (ALLOCATE, "--subnet-zone", "subnet-1=us-x-1a"),
    (ALLOCATE, "--product", "Linux/UNIX"),
    (ALLOCATE, "--export", "create-fleet=-"),
    (REPLAY, "--start", SECOND),
    (REPLAY, "--end", SECOND),
    (REPLAY, "--start-delay", "30"),
    (REPLAY, "--notice", "60"),
    (REPLAY, "--seed", "3"),
    (REPLAY, "--billing", "hour-start"),
    (REPLAY, "--interruptions", "price"),
    (REPLAY, "--hazard", "weibull:shape=0.6,scale_h=1.4"),
    (REPLAY, "--hazard", "bathtub:early_per_hour=0.1,early_h=1,steady_per_hour=0.01"),
    (REPLAY, "--hazard", "exponential:rate_per_hour=0.5"),
    (REPLAY, "--shocks", "zone:per_month=0.5,share=0.3"),
    (REPLAY, "--stress", f"zone=us-x-1a@{SECOND}+30m"),
    (REPLAY, "--stress", f"loss=20@{SECOND}+15m"),
    (REPLAY, "--stress", f"price=3@{SECOND}+2h"),
    (REPLAY, "--launch-failures", "share=0.05,retry=60"),
    (REPLAY, "--rebalance-signals", "ahead=600,missed=0.1,false=0.01"),
    (REPLAY, "--fail-if", "metrics.outages > 50%"),
    (("experiment", *REPLAY[1:], "--workers", "1", "--strategy", "lowestPrice"), "--window", "12h"),
    (("experiment", *REPLAY[1:], "--workers", "1", "--strategy", "lowestPrice"), "--stride", "6h"),
    (("request", "s.json", *PRICED), "--cancel", SECOND),
    (("request", "s.json", *PRICED), "--block-price", "0.1"),
    (("job", *TRACES, "--work", "2", "--deadline", "5", "--restart-overhead", "0.1"), "--work", "3"),
    (("job", *TRACES, "--work", "2", "--deadline", "5", "--restart-overhead", "0.1"), "--deadline", "6"),
    (("job", *TRACES, "--work", "2", "--deadline", "5"), "--restart-overhead", "0.2"),
    (("job", *TRACES, "--work", "2", "--deadline", "5", "--restart-overhead", "0.1"), "--nodes", "2"),
    (
        ("job", *TRACES, "--work", "2", "--deadline", "5", "--restart-overhead", "0.1"),
        "--zone-price",
        "us-x-1a=1",
    ),
    (("service", *TRACES, "--replicas", "2"), "--replicas", "3"),
    (("service", *TRACES, "--replicas", "2"), "--cold-start", "60"),
    (("service", *TRACES, "--replicas", "2"), "--target-availability", "0.9"),
    (("service", *TRACES, "--replicas", "2"), "--extra", "2"),
    (("service", *TRACES, "--replicas", "2"), "--spot-price", "0.2"),
    (("service", *TRACES, "--replicas", "2"), "--on-demand-price", "2"),
    (("service", *TRACES, "--replicas", "2"), "--instances-when-up", "2"),
    (("demo",), "--days", "0.5"),
)
"""A command, an option of it, and a valid value that is spoiled."""
READS = (
    ("allocate", None),
    ("allocate", "--prices"),
    ("allocate", "--on-demand"),
    ("replay", "--capacity"),
    ("allocate", "--instance-types"),
    ("allocate", "--scores"),
    ("allocate", "--zones"),
    ("replay", "--advisor"),
    ("allocate", "--running"),
    ("allocate", "--reservations"),
    ("replay", "--schedule"),
    ("job", "--availability"),
    ("archive", None),
    ("experiment", "--store"),
    ("cache", "--out"),
)
"""A command and an option that takes a path to read, or a folder to write into; ``None`` for the argument."""
WRITES = (
    ("allocate", "--csv", ".csv"),
    ("allocate", "--report", ".html"),
    ("allocate", "--markdown", ".md"),
    ("allocate", "--parquet", ".parquet"),
    ("allocate", "--export", ""),
    ("replay", "--events", ".jsonl"),
    ("replay", "--write-data-feed", ".gz"),
    ("replay", "--focus", ".csv"),
    ("replay", "--plot", ".svg"),
    ("job", "--plot", ".png"),
    ("request", "--events", ".json"),
)
"""A command, an option that writes, and the ending of its files."""
COMMANDS = {
    "allocate": ALLOCATE,
    "replay": REPLAY,
    "archive": ("archive", "kept"),
    "cache": ("cache", *PRICED),
    "experiment": ("experiment", *REPLAY[1:], "--workers", "1", "--strategy", "lowestPrice"),
    "request": ("request", "s.json", *PRICED),
    "job": ("job", *TRACES, "--work", "2", "--deadline", "5", "--restart-overhead", "0.1"),
}


def packed_as(form: str, data: bytes) -> bytes:
    """Return data packed."""
    if form == "gz":
        return gzip.compress(data, mtime=0)
    if form == "zip":
        return zipped({"prices.csv": data})
    return zstandard.compress(data) if form == "zst" else data
