"""Whatever stands in a document, table or folder: an answer, or one line that says where and what must."""

from __future__ import annotations

import copy
import gzip
import json
import os
import shutil
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fleet
from fleet.errors import InputError
from fleet.io.live import Archive

TYPES = {
    "InstanceTypes": [
        {
            "InstanceType": "g5.xlarge",
            "CurrentGeneration": True,
            "BareMetal": False,
            "VCpuInfo": {"DefaultVCpus": 4},
            "MemoryInfo": {"SizeInMiB": 16384},
            "ProcessorInfo": {"SupportedArchitectures": ["x86_64"], "Manufacturer": "AMD"},
            "InstanceStorageInfo": {"TotalSizeInGB": 250, "Disks": [{"Type": "ssd", "Count": 1}]},
            "EbsInfo": {"EbsOptimizedInfo": {"BaselineBandwidthInMbps": 700}},
            "NetworkInfo": {
                "NetworkPerformance": "Up to 10 Gigabit",
                "NetworkCards": [{"BaselineBandwidthInGbps": 2.5}],
                "MaximumNetworkInterfaces": 4,
                "EncryptionInTransitSupported": True,
            },
            "PlacementGroupInfo": {"SupportedStrategies": ["cluster"]},
            "GpuInfo": {
                "Gpus": [{"Name": "A10G", "Manufacturer": "NVIDIA", "Count": 1}],
                "TotalGpuMemoryInMiB": 24576,
            },
        }
    ]
}
SCORES = {
    "SpotPlacementScores": [{"Region": "us-x-1", "AvailabilityZoneId": "us-x-1a", "Score": 7}],
    "InstanceTypes": ["m5.large"],
    "Time": "2021-05-01T00:00:00Z",
}
ADVISOR = {
    "ranges": [{"index": k, "label": f"{k}", "dots": k, "max": k} for k in range(5)],
    "spot_advisor": {"us-x-1": {"Linux": {"m5.large": {"r": 1, "s": 70}}}},
}
TRACE = {"metadata": {"gap_seconds": 60, "instance_type": "m5.large"}, "data": [1, 0, 1, 1]}
EVENTS = [
    {
        "detail-type": "EC2 Spot Instance Interruption Warning",
        "time": "2026-01-01T00:00:00Z",
        "detail": {"instance-id": "i-1", "instance-action": "terminate"},
    },
    {
        "Reservations": [
            {
                "Instances": [
                    {
                        "InstanceId": "i-1",
                        "InstanceType": "m5.large",
                        "InstanceLifecycle": "spot",
                        "Placement": {"AvailabilityZone": "us-x-1a"},
                        "LaunchTime": "2025-12-31T00:00:00Z",
                    }
                ]
            }
        ]
    },
]
FEED = (
    "#Version: 1.0\n"
    "#Fields: Timestamp UsageType Operation InstanceID MyBidID MyMaxPrice MarketPrice Charge Version\n"
    "2023-12-09 07:13:47 UTC\tUSE2-SpotUsage:c7a.medium\tRunInstances:SV050\ti-0c\tsir-1\t0.1 USD\t0.05 USD\t"
    "0.05 USD\t1\n"
)
TABLE = "instance_type,vcpu,memory_mib,current_gen,gpus,cpu_maker\nm5.large,2,8192,true,0,Intel\n"
SPOTLAKE = "InstanceType,AZ,SPS,time\nm5.large,us-x-1a,3,2022-07-12 04:20:02\n"

HOSTILE = (
    *(None, "", True, False, [], {}, [[]], [None], {"": None}, "false", "x" * 200, "a\0b", "\ud800", "-1"),
    *(0, -1, 1.5, 1e308, -0.0, 10**18, 10**30, float("nan"), float("inf"), "nan", "1e999", "9" * 5000),
    *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2021-01-01", "m5.large", "../..", "[b]"),
)
VALUES = st.one_of(
    st.sampled_from(HOSTILE).map(copy.deepcopy),  # harmed again: what was drawn must not change
    st.text(max_size=8),
    st.floats(),
    st.integers(),
)


def places(document, at=()):
    """Every path of a document."""
    yield at
    if isinstance(document, (dict, list)):
        for step, part in document.items() if isinstance(document, dict) else enumerate(document):
            yield from places(part, (*at, step))


@st.composite
def harmed(draw, document):
    """A document with up to three places changed, dropped or given a key more."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from(list(places(document))))
        if not at:
            continue
        *before, step = at
        holder = document
        for part in before:
            holder = holder[part]
        act = draw(st.sampled_from(["set", "set", "set", "drop", "twice"]))
        if act == "drop":
            del holder[step]
        elif act == "twice" and isinstance(holder, list):
            holder.insert(step, copy.deepcopy(holder[step]))
        else:
            holder[step] = draw(VALUES)
    return document


@st.composite
def harmed_bytes(draw, data):
    """Bytes with some cut out, changed or put in."""
    found = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(found) - 1)))
        act = draw(st.sampled_from(["flip", "cut", "put", "end"]))
        if act == "flip" and found:
            found[at] ^= 1 << draw(st.integers(0, 7))
        elif act == "cut":
            del found[at : at + draw(st.integers(1, 40))]
        elif act == "put":
            found[at:at] = draw(
                st.sampled_from([b"\0", b'"', b"\t", b",", b"\r", b"\n\n", b"\xff", b"nan", b"9" * 400])
            )
        else:
            del found[at:]
    return bytes(found)


def market():
    points = fleet.domain.ChangePoints.constant([0.03, 0.04])
    zones = ["us-x-1a", "us-x-1b"]
    return fleet.Market(["m5.large"] * 2, zones, ["Linux/UNIX"] * 2, points, [0.1, 0.1], 0, 86400)


PUT = (b"\0", b'"', b"\t", b",", b"\r", b"\n\n", b"\xff", b"nan", b"9" * 400)
READERS = {
    "types": ("t.json", TYPES, fleet.io.read_instance_types),
    "scores": ("s.json", SCORES, lambda path: fleet.io.read_scores(path, market())),
    "advisor": ("a.json", ADVISOR, fleet.io.read_spot_advisor),
    "traces": (
        "us-x-1a_m5.json",
        TRACE,
        lambda path: fleet.read_availability(path.parent, market(), polarity="available", start_s=0),
    ),
    "trace set": (
        "us-x-1a_m5.json",
        TRACE,
        lambda path: fleet.io.read_trace_set(path.parent, polarity="available"),
    ),
    "events": ("e.json", EVENTS, fleet.io.read_interruption_log),
}
TEXTS = {
    "feed": ("feed", FEED.encode(), fleet.io.read_data_feed),
    "packed feed": ("feed.gz", gzip.compress(FEED.encode()), fleet.io.read_data_feed),
    "table of types": ("t.csv", TABLE.encode(), fleet.io.read_instance_types),
    "spotlake": ("s.csv", SPOTLAKE.encode(), lambda path: fleet.io.read_scores(path, market())),
    "types": ("t.json", json.dumps(TYPES).encode(), fleet.io.read_instance_types),
    "trace": (
        "us-x-1a_m5.json",
        json.dumps(TRACE).encode(),
        lambda path: fleet.io.read_trace_set(path.parent),
    ),
}
FAST = settings(max_examples=90, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
DEEP = settings(FAST, max_examples=1500)


def sound(read, path):
    """Read it: an answer, or one line with a rule."""
    try:
        read(path)
    except InputError as error:
        assert "\n" not in str(error)
        assert error.rule.startswith(("must", "can only"))
        assert len(str(error)) < 2000


def check_document(tmp_path, reader, data):
    name, document, read = READERS[reader]
    path = tmp_path / name
    path.write_text(json.dumps(data.draw(harmed(document))))
    sound(read, path)


def check_bytes(tmp_path, reader, data):
    name, whole, read = TEXTS[reader]
    path = tmp_path / name
    path.write_bytes(data.draw(harmed_bytes(whole)))
    sound(read, path)


@pytest.mark.parametrize("reader", READERS)
@FAST
@given(data=st.data())
def test_documents(tmp_path, reader, data):
    check_document(tmp_path, reader, data)


@pytest.mark.parametrize("reader", TEXTS)
@FAST
@given(data=st.data())
def test_bytes(tmp_path, reader, data):
    check_bytes(tmp_path, reader, data)


@pytest.mark.deep
@pytest.mark.parametrize("reader", READERS)
@DEEP
@given(data=st.data())
def test_documents_at_length(tmp_path, reader, data):
    check_document(tmp_path, reader, data)


@pytest.mark.deep
@pytest.mark.parametrize("reader", TEXTS)
@DEEP
@given(data=st.data())
def test_bytes_at_length(tmp_path, reader, data):
    check_bytes(tmp_path, reader, data)


@pytest.mark.parametrize("reader", READERS)
def test_whole_documents_are_read(tmp_path, reader):
    name, document, read = READERS[reader]
    (tmp_path / name).write_text(json.dumps(document))
    read(tmp_path / name)


@pytest.mark.parametrize("reader", TEXTS)
def test_whole_texts_are_read(tmp_path, reader):
    name, data, read = TEXTS[reader]
    (tmp_path / name).write_bytes(data)
    if reader != "trace":  # whose polarity nobody says
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("reader", "at", "value", "message"),
    [
        ("types", ("InstanceTypes", 0, "VCpuInfo"), "4", 'InstanceTypes[0].VCpuInfo "4": must be an object'),
        (
            "types",
            ("InstanceTypes", 0, "VCpuInfo", "DefaultVCpus"),
            0,
            "a whole number of at least 1",
        ),
        ("types", ("InstanceTypes", 0, "BareMetal"), "maybe", 'BareMetal "maybe": must be true or false'),
        ("types", ("InstanceTypes",), {}, "t.json: InstanceTypes {}: must be a list"),
        ("types", ("InstanceTypes", 0), [], "t.json: InstanceTypes[0] []: must be an object"),
        ("scores", ("SpotPlacementScores", 0, "Score"), -1, "Score -1: must be a number of at least 0"),
        ("scores", ("InstanceTypes",), "m5.large", "must be a list"),
        ("scores", ("Time",), "soon", 's.json: Time "soon": must be a time such as'),
        (
            "advisor",
            ("spot_advisor", "us-x-1", "Linux"),
            [],
            "us-x-1.Linux []: must be an object",
        ),
        ("advisor", ("ranges", 0, "index"), "x", 'ranges[0].index "x": must be a whole number'),
        ("traces", ("data", 1), None, "data[1] null: must be a number"),
        ("traces", ("data",), [], "must be a list of length >= 1"),
        ("traces", ("metadata", "gap_seconds"), 1e308, "must be a"),
        ("events", (0, "time"), 5, "e.json: [0].time 5: must be a time such as"),
        ("events", (0, "detail"), [], "e.json: [0].detail []: must be an object"),
        (
            "events",
            (1, "Reservations", 0, "Instances", 0),
            3,
            "Instances[0] 3: must be an object",
        ),
    ],
)
def test_each_error_names_the_place_the_value_and_the_rule(tmp_path, reader, at, value, message):
    name, document, read = READERS[reader]
    document = copy.deepcopy(document)
    holder = document
    for step in at[:-1]:
        holder = holder[step]
    holder[at[-1]] = value
    (tmp_path / name).write_text(json.dumps(document))
    with pytest.raises(InputError) as raised:
        read(tmp_path / name)
    assert message in str(raised.value)


@pytest.mark.parametrize("text", ["false", "False", "FALSE"])
def test_booleans_as_text_are_what_they_say(tmp_path, text):
    document = copy.deepcopy(TYPES)
    document["InstanceTypes"][0] |= {
        "CurrentGeneration": text,
        "BareMetal": "true",
        "HibernationSupported": "",
    }
    (tmp_path / "t.json").write_text(json.dumps(document))
    kind = fleet.io.read_instance_types(tmp_path / "t.json")["g5.xlarge"]
    assert (kind.current_generation, kind.bare_metal, kind.hibernation) == (False, True, None)


def test_null_is_unset(tmp_path):
    document = copy.deepcopy(TYPES)
    record = document["InstanceTypes"][0]
    for name in record.keys() - {"InstanceType", "VCpuInfo", "MemoryInfo"}:
        record[name] = None
    (tmp_path / "t.json").write_text(json.dumps(document))
    kind = fleet.io.read_instance_types(tmp_path / "t.json")["g5.xlarge"]
    assert (kind.vcpu, kind.bare_metal, kind.network_gbps, kind.accelerators) == (4, None, None, 0)
    assert kind.cpu_manufacturer == "amd"  # of the family


@pytest.mark.parametrize(
    "text",
    [f"{json.dumps(TYPES)}\n{json.dumps(TYPES)}", json.dumps([TYPES]), json.dumps(TYPES["InstanceTypes"])],
)
def test_pages_of_types_in_one_file(tmp_path, text):
    (tmp_path / "t.json").write_text(text)
    assert fleet.io.read_instance_types(tmp_path / "t.json")["g5.xlarge"].accelerator_name == "a10g"


def test_one_type_in_two_ways_is_refused_and_gaps_are_filled(tmp_path):
    other = copy.deepcopy(TYPES)
    record = other["InstanceTypes"][0]
    del record["EbsInfo"]
    (tmp_path / "t.json").write_text(f"{json.dumps(other)}{json.dumps(TYPES)}")
    assert fleet.io.read_instance_types(tmp_path / "t.json")["g5.xlarge"].ebs_mbps == 700
    record["VCpuInfo"]["DefaultVCpus"] = 8
    (tmp_path / "t.json").write_text(f"{json.dumps(other)}{json.dumps(TYPES)}")
    with pytest.raises(InputError, match=r"g5\.xlarge: vcpu 8 .* and 4 .*must be the same"):
        fleet.io.read_instance_types(tmp_path / "t.json")


def test_two_scores_of_one_pool_are_refused(tmp_path):
    document = copy.deepcopy(SCORES)
    document["SpotPlacementScores"].append(document["SpotPlacementScores"][0] | {"Score": 2})
    (tmp_path / "s.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"m5\.large in us-x-1a: 7 .* and 2 .*must be one at a time"):
        fleet.io.read_scores(tmp_path / "s.json", market())


def test_a_market_price_of_zero_is_unknown(tmp_path):
    (tmp_path / "feed").write_text(FEED.replace("0.05 USD\t0.05 USD", "0.0 USD\t0.0 USD"))
    feed = fleet.io.read_data_feed(tmp_path / "feed")
    assert np.isnan(feed.market_price[0])
    assert feed.charge[0] == 0


@pytest.mark.parametrize("reader", ["types", "scores", "advisor", "traces", "events"])
def test_another_kind_is_told_what_it_is_and_where_it_goes(tmp_path, reader):
    name, _, read = READERS[reader]
    (tmp_path / name).write_text(json.dumps({"SpotPriceHistory": []}))
    with pytest.raises(InputError, match=r"which is a price history .*give it as --prices"):
        read(tmp_path / name)


@pytest.mark.parametrize("reader", [*READERS, "feed"])
@pytest.mark.parametrize("path", ["x" * 300, "none", "a\0b", "folder/in.json"])
def test_paths_that_lead_nowhere(tmp_path, reader, path):
    read = (READERS | TEXTS)[reader][2]
    with pytest.raises(InputError):
        read(tmp_path / path / "y")


def check_folder(tmp_path, data):
    folder = tmp_path / "kept"
    shutil.rmtree(folder, ignore_errors=True)
    fleet.save_market(market(), folder)
    file = data.draw(st.sampled_from(sorted(path for path in folder.rglob("*") if path.is_file())))
    if file.name == "market.json" and data.draw(st.booleans()):
        file.write_text(json.dumps(data.draw(harmed(json.loads(file.read_text())))))
    else:
        file.write_bytes(data.draw(harmed_bytes(file.read_bytes())))
        os.utime(file, ns=(1, 1))
    try:
        found = fleet.load_market(folder)
    except InputError as error:
        assert "\n" not in str(error)
    else:  # nothing that counts was changed
        np.testing.assert_array_equal(found.prices.values, market().prices.values)
        assert (found.start_s, found.end_s) == (0, 86400)


@settings(FAST, max_examples=60)
@given(data=st.data())
def test_folders_of_kept_markets(tmp_path, data):
    check_folder(tmp_path, data)


@pytest.mark.deep
@DEEP
@given(data=st.data())
def test_folders_of_kept_markets_at_length(tmp_path, data):
    check_folder(tmp_path, data)


@settings(FAST, max_examples=25)
@given(data=st.data())
def test_archives(tmp_path, data):
    root = tmp_path / "archive"
    shutil.rmtree(root, ignore_errors=True)
    archive = Archive.open(root, create=True)
    row = {"AvailabilityZone": "us-x-1a", "InstanceType": "m5.large", "SpotPrice": "0.03"}
    row |= {"ProductDescription": "Linux/UNIX", "Timestamp": datetime(2021, 5, 1, tzinfo=UTC)}
    archive.add_prices("us-x-1", "m5.large", "Linux/UNIX", (0, 3600), [row])
    file = data.draw(st.sampled_from(sorted(path for path in root.rglob("*") if path.is_file())))
    file.write_bytes(data.draw(harmed_bytes(file.read_bytes())))
    try:
        list(Archive.open(root).entries())
    except InputError as error:
        assert "\n" not in str(error)
