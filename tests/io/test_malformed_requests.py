"""Malformed requests of every form end in one line: values of other types, huge numbers, nesting, odd text.

Valid documents are changed at any path; what comes out is a request or an error of the input, never anything
else. ``CORPUS`` holds inputs that once ended in a traceback.
"""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fleet
from fleet.errors import InputError
from fleet.io.records.running import read_running
from fleet.io.requests.schedule import read_schedule
from tests.helpers.in_process import run_spotfleet

ATTRIBUTES = {
    "VCpuCount": {"Min": 2, "Max": 8},
    "MemoryMiB": {"Min": 1024},
    "CpuManufacturers": ["intel"],
    "BareMetal": "included",
    "RequireHibernateSupport": False,
    "BaselinePerformanceFactors": {"Cpu": {"References": [{"InstanceFamily": "c6i"}]}},
    "SpotMaxPricePercentageOverLowestPrice": 50,
}
FACE = {"DeviceIndex": 0, "SubnetId": "subnet-1"}
SPECIFICATIONS = {
    "IamFleetRole": "arn:aws:iam::1:role/f",
    "TargetCapacity": 4,
    "SpotPrice": "0.1",
    "Type": "maintain",
    "ValidUntil": "2030-01-01T00:00:00Z",
    "TerminateInstancesWithExpiration": True,
    "SpotMaintenanceStrategies": {"CapacityRebalance": {"ReplacementStrategy": "launch"}},
    "LaunchSpecifications": [
        {"InstanceType": "m5.large", "WeightedCapacity": 2, "Placement": {"AvailabilityZone": "us-x-1a"}},
        {"InstanceType": "c5.large", "NetworkInterfaces": [FACE], "SpotPrice": "0.2", "Monitoring": {}},
        {"InstanceRequirements": ATTRIBUTES, "SubnetId": "subnet-1,subnet-2"},
    ],
}
TEMPLATES = [
    {
        "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "1"},
        "Overrides": [
            {"InstanceType": "m5.large", "MaxPrice": "0.1", "Priority": 1, "AvailabilityZone": "us-x-1a"},
            {"InstanceRequirements": ATTRIBUTES, "WeightedCapacity": 1},
        ],
    }
]
CREATE_FLEET = {
    "Type": "instant",
    "TargetCapacitySpecification": {
        "TotalTargetCapacity": 9,
        "OnDemandTargetCapacity": 2,
        "DefaultTargetCapacityType": "spot",
    },
    "SpotOptions": {"AllocationStrategy": "diversified", "SingleInstanceType": True, "MinTargetCapacity": 1},
    "OnDemandOptions": {"CapacityReservationOptions": {"UsageStrategy": "use-capacity-reservations-first"}},
    "LaunchTemplateConfigs": TEMPLATES,
    "ReplaceUnhealthyInstances": True,
}
GROUP = {
    "AutoScalingGroupName": "g",
    "MinSize": 1,
    "MaxSize": 5,
    "DesiredCapacity": 3,
    "VPCZoneIdentifier": "subnet-1,subnet-2",
    "CapacityRebalance": True,
    "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "balanced-only"},
    "MixedInstancesPolicy": {
        "LaunchTemplate": {"Overrides": [{"InstanceType": "m5.large", "WeightedCapacity": "2"}]},
        "InstancesDistribution": {"SpotMaxPrice": "0.1", "OnDemandBaseCapacity": 1, "SpotInstancePools": 2},
    },
}
SPOT = {
    "InstanceCount": 2,
    "Type": "persistent",
    "SpotPrice": "0.05",
    "ValidFrom": "2021-05-01T01:00:00Z",
    "InstanceInterruptionBehavior": "stop",
    "LaunchSpecification": {"InstanceType": "m5.large", "NetworkInterfaces": [FACE], "Placement": {}},
}
EVENT = {"eventName": "CreateFleet", "requestParameters": {"CreateFleetRequest": CREATE_FLEET}}
RESOURCE = {"Type": "AWS::EC2::SpotFleet", "Properties": {"SpotFleetRequestConfigData": SPECIFICATIONS}}
FORMS = {
    "spot fleet": SPECIFICATIONS,
    "create-fleet": CREATE_FLEET,
    "group": GROUP,
    "policy": {"DesiredCapacity": 3, **GROUP["MixedInstancesPolicy"]},
    "answer": {"SpotFleetRequestConfigs": [{"SpotFleetRequestConfig": SPECIFICATIONS, "Tags": []}]},
    "fleets": {"Fleets": [CREATE_FLEET]},
    "groups": {"AutoScalingGroups": [GROUP]},
    "template": {"Resources": {"Fleet": RESOURCE}},
    "event": {"Records": [EVENT]},
}
SPOT_FORMS = {"spot": SPOT, "answer": {"SpotInstanceRequests": [SPOT, SPOT]}}
SCHEDULE = {
    "Changes": [{"At": "2021-05-01T06:00:00Z", "TargetCapacity": 20, "OnDemandTargetCapacity": 2}],
    "Cancel": {"At": "2021-05-02T06:00:00Z", "TerminateInstances": True},
}  # fmt: skip
POOL = {"Overrides": {"InstanceType": "m5.large", "AvailabilityZone": "us-x-1a"}}
ANSWER = {
    "FleetId": "fleet-1",
    "Instances": [{"LaunchTemplateAndOverrides": POOL, "InstanceIds": ["i-1"], "Lifecycle": "spot"}],
    "Errors": [{"LaunchTemplateAndOverrides": POOL, "ErrorCode": "InsufficientInstanceCapacity"}],
}
INSTANCE = {
    "InstanceType": "m5.large",
    "State": {"Name": "running"},
    "Placement": {"AvailabilityZone": "us-x-1a"},
    "InstanceLifecycle": "spot",
}
RUNNING = {"Reservations": [{"Instances": [INSTANCE]}]}
ACTIVE = {"ActiveInstances": [{"InstanceType": "m5.large"}]}


def nested(depth):
    value = 1
    for k in range(depth):
        value = [value] if k % 2 else {"a": value}
    return value


ODD = st.one_of(
    st.sampled_from(
        [
            None, True, False, "", 0, -1, 1, 2.5, 10**12, 10**19, 10**400, 1e15, 1e308, -1e308, float("nan"),
            float("inf"), "9" * 5000, "1e308", "nan", "inf", "-0", "true", "false", "NULL", "x" * 5000,
            "\0", "\ud800", "\x1b[31m", "<b>", "$\\frac{1}{0}$", "a,b", ",", "é", "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", [], {}, [None], [[]], {"a": 1}, {"Ref": "X"},
            ["x"], [1, "x", {}], nested(40), nested(70), nested(250),
        ]
    ).map(copy.deepcopy),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec=None), max_size=20),
)  # fmt: skip


def places(value, path=()):
    """Return the path of every value of a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from places(item, (*path, step))


def put(document, path, odd, rename):
    """Return a copy of a document with a value changed, or the name of its field."""
    if not path:
        return odd
    document = copy.deepcopy(document)
    at = document
    for step in path[:-1]:
        at = at[step]
    if rename and isinstance(at, dict):
        at[str(odd)[:50]] = at.pop(path[-1])
    else:
        at[path[-1]] = odd
    return document


@st.composite
def broken(draw, forms):
    """A document of one of the forms, changed at one to three places."""
    document = forms[draw(st.sampled_from(sorted(forms)))]
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(document))))
        document = put(document, path, draw(ODD), rename=draw(st.integers(0, 9)) == 0)
    return document


def text_of(document):
    """Return the JSON that a hostile client writes: NaN and half surrogates too."""
    return json.dumps(document)


def one_line(read, *arguments):
    """Read, and hold an error to its form: of the input, one printable line of sane length."""
    try:
        read(*arguments)
    except InputError as error:
        text = str(error)
        assert text.isprintable(), text
        assert len(text) < 1000, text


ZONES = {"subnet-1": "us-x-1a", "subnet-2": "us-x-1b"}


def read_either_way(document):
    """Read a request from text, as a file has it, and parsed, as Python hands it over."""
    one_line(lambda: fleet.io.parse_request(text_of(document), subnet_zones=ZONES))
    if isinstance(document, dict):
        one_line(lambda: fleet.io.parse_request(document, subnet_zones=ZONES))


FAST = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
DEEP = settings(FAST, max_examples=7500)


@given(broken(FORMS))
@FAST
def test_fleet_requests(document):
    read_either_way(document)


@pytest.mark.deep
@given(broken(FORMS))
@DEEP
def test_fleet_requests_at_length(document):
    read_either_way(document)


@given(broken(SPOT_FORMS))
@FAST
def test_spot_requests(document):
    if isinstance(document, dict):
        one_line(lambda: fleet.io.parse_spot_request(document, subnet_zones=ZONES))


READERS = {
    "schedule": (SCHEDULE, read_schedule),
    "answer": (ANSWER, fleet.io.read_fleet_answer),
    "running": (RUNNING, lambda path: read_running(path, [("m5.large", "us-x-1a")])),
    "active": (ACTIVE, lambda path: read_running(path, [("m5.large", "us-x-1a")])),
    "spot": (SPOT, lambda path: fleet.io.read_spot_request(path, subnet_zones=ZONES)),
    "fleet": (SPECIFICATIONS, lambda path: fleet.read_request(path, subnet_zones=ZONES)),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("malformed") / "x.json"


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@settings(FAST, max_examples=60)
def test_files(path, name, data):
    document, read = READERS[name]
    path.write_text(text_of(data.draw(broken({name: document}))))
    one_line(read, path)


@given(st.sampled_from(sorted(FORMS)), st.integers(0, 3000), st.binary(max_size=3))
@settings(FAST, max_examples=100)
def test_bytes_cut_off_or_changed(path, form, at, odd):
    data = json.dumps(FORMS[form]).encode()
    at %= len(data)
    path.write_bytes(data[:at] + odd + (data[at + 1 :] if odd else b""))
    one_line(fleet.read_request, path)


def specification(**fields):
    return {**SPECIFICATIONS, "LaunchSpecifications": [{"InstanceType": "m5.large", **fields}]}


CORPUS = {
    "a target of 5,000 digits": {**SPECIFICATIONS, "TargetCapacity": "9" * 5000},
    "a target beyond floats": {**SPECIFICATIONS, "TargetCapacity": 10**400},
    "a weight that is infinite": specification(WeightedCapacity=float("inf")),
    "a weight in a list": specification(WeightedCapacity=[2]),
    "a price that is a map": {**SPECIFICATIONS, "SpotPrice": {}},
    "text for the templates": {"TargetCapacitySpecification": {"TotalTargetCapacity": 1},
                               "LaunchTemplateConfigs": "all"},
    "text for a template": {"TargetCapacitySpecification": {"TotalTargetCapacity": 1},
                            "LaunchTemplateConfigs": ["all"]},
    "text for the overrides": {"TargetCapacity": 1, "LaunchTemplateConfigs": [{"Overrides": "all"}]},
    "a list for the placement": specification(Placement=["us-x-1a"]),
    "a number for the requirements": specification(InstanceRequirements=7),
    "a range that is text": specification(InstanceRequirements={**ATTRIBUTES, "VCpuCount": "2-4"}),
    "a number for the options": {**CREATE_FLEET, "SpotOptions": 3},
    "a list for reservations": {**CREATE_FLEET, "OnDemandOptions": {"CapacityReservationOptions": ["x"]}},
    "a list for an enum": {**SPECIFICATIONS, "Type": ["maintain"]},
    "a map for an enum": {**SPECIFICATIONS, "AllocationStrategy": {}},
    "the year 9999": {**SPECIFICATIONS, "ValidUntil": "9999-12-31T23:59:59-23:59"},
    "the year 1": {**SPECIFICATIONS, "ValidFrom": "0001-01-01T00:00:00+23:59"},
    "a number for the zones": {**GROUP, "AvailabilityZones": 5, "VPCZoneIdentifier": None},
    "text for the distribution": {**GROUP, "AvailabilityZoneDistribution": "balanced-only"},
    "text for the policy": {**GROUP, "MixedInstancesPolicy": "mine"},
    "a weight of digits that are none": {**GROUP, "MixedInstancesPolicy": {"LaunchTemplate": {
        "Overrides": [{"InstanceType": "m5.large", "WeightedCapacity": "²"}]}}},
    "deep nesting": {**SPECIFICATIONS, "Context": nested(900)},
    "half a surrogate": specification(InstanceType="\ud800"),
    "NUL in a zone": specification(AvailabilityZone="us\0x"),
    "an answer of nothing": {"Fleets": [None]},
    "an answer of text": {"SpotFleetRequestConfigs": ["x"]},
    "wrapping around nothing": {"SpotFleetRequestConfig": {"SpotFleetRequestConfig": {}}},
}  # fmt: skip


@pytest.mark.parametrize("document", CORPUS.values(), ids=list(CORPUS))
def test_what_once_ended_in_a_traceback(document):
    if isinstance(document, dict) and "Context" in document:
        with pytest.raises(InputError, match="must not nest deeper"):
            fleet.io.parse_request(text_of(document))
    read_either_way(document)


@pytest.mark.parametrize("name", [
    "a target of 5,000 digits", "text for the templates", "a range that is text", "the year 1",
    "text for the policy", "deep nesting", "half a surrogate", "an answer of text",
])  # fmt: skip
def test_the_command_line_says_one_line_and_status_2(tmp_path, name):
    (tmp_path / "prices.csv").write_text(
        "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp\n"
        "us-x-1a,m5.large,Linux/UNIX,0.04,2021-05-01T00:00:00Z\n"
    )
    (tmp_path / "fleet.json").write_text(text_of(CORPUS[name]))
    for command in ("allocate", "replay"):
        answer = run_spotfleet(command, "fleet.json", "--prices", "prices.csv", folder=tmp_path)
        assert (answer.status, answer.out) == (2, "")
        assert answer.err.count("\n") == 1
        assert "fleet.json" in answer.err


@pytest.mark.deep
@given(broken(FORMS))
@settings(FAST, max_examples=500)
def test_the_command_line_never_ends_in_a_defect(path, document):
    prices = path.with_name("prices.csv")
    prices.write_text(
        "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp\n"
        "us-x-1a,m5.large,Linux/UNIX,0.04,2021-05-01T00:00:00Z\n"
    )
    path.write_text(text_of(document))
    zones = [f"--subnet-zone={subnet}={zone}" for subnet, zone in ZONES.items()]
    answer = run_spotfleet("allocate", path.name, "--prices", prices.name, *zones, folder=path.parent)
    assert answer.status in (0, 1, 2), answer.err
    if answer.status == 2:
        assert answer.err.count("\n") == 1, answer.err
