"""AWS's own service models against what is read: no field is passed over without a reason or a warning.

The models are botocore's, a development dependency. A field that AWS adds fails the test until somebody has
said what it does to what is bought.
"""

from __future__ import annotations

import pytest
from msgspec import inspect

import fleet
from fleet.io.decoding.structs import bare, child_of
from fleet.io.requests.effects import NO_EFFECT, NOT_MODELLED, notes_of
from fleet.io.requests.shapes import CreateFleet, Group, SpotFleet, SpotInstances

session = pytest.importorskip("botocore.session")
MODELS = [
    ("ec2", "CreateFleet", "input", (), CreateFleet),
    ("ec2", "DescribeFleets", "output", ("Fleets",), CreateFleet),
    ("ec2", "RequestSpotFleet", "input", ("SpotFleetRequestConfig",), SpotFleet),
    (
        "ec2",
        "DescribeSpotFleetRequests",
        "output",
        ("SpotFleetRequestConfigs", "SpotFleetRequestConfig"),
        SpotFleet,
    ),
    ("ec2", "RequestSpotInstances", "input", (), SpotInstances),
    ("ec2", "DescribeSpotInstanceRequests", "output", ("SpotInstanceRequests",), SpotInstances),
    ("autoscaling", "CreateAutoScalingGroup", "input", (), Group),
    ("autoscaling", "UpdateAutoScalingGroup", "input", (), Group),
    ("autoscaling", "DescribeAutoScalingGroups", "output", ("AutoScalingGroups",), Group),
]


def inside(shape):
    """Return the structure that a list is of."""
    while shape.type_name == "list":
        shape = shape.member
    return shape


def unsaid(shape, stated, path=""):
    """Yield each field of a model that is neither read nor in a table."""
    shape, stated = inside(shape), bare(stated)
    while isinstance(stated, inspect.ListType):
        stated = bare(stated.item_type)
    if shape.type_name != "structure":
        return
    assert isinstance(stated, (inspect.StructType, inspect.UnionType)), path
    for name, member in shape.members.items():
        below = child_of(stated, name)
        if below is not None:
            yield from unsaid(member, below, f"{path}.{name}")
        elif name not in NO_EFFECT and name not in NOT_MODELLED:
            yield f"{path}.{name}"


def model_of(service, operation, side, keys):
    model = session.get_session().get_service_model(service).operation_model(operation)
    shape = model.input_shape if side == "input" else model.output_shape
    for key in keys:
        shape = inside(shape).members[key]
    return inside(shape)


@pytest.mark.parametrize(
    ("service", "operation", "side", "keys", "kind"), MODELS, ids=[one[1] for one in MODELS]
)
def test_every_field_is_read_or_said(service, operation, side, keys, kind):
    shape = model_of(service, operation, side, keys)
    assert not list(unsaid(shape, inspect.type_info(kind)))


def fields_of(shape, seen=()):
    """Yield the names of all fields of a model."""
    shape = inside(shape)
    if shape.type_name == "structure" and shape.name not in seen:
        for name, member in shape.members.items():
            yield name
            yield from fields_of(member, (*seen, shape.name))


def test_no_table_names_a_field_that_does_not_exist():
    real = {name for *model, _ in MODELS for name in fields_of(model_of(*model))}
    of_cloudformation = {
        "Cooldown", "MetricsCollection", "NotificationConfiguration", "NotificationConfigurations",
    }  # fmt: skip
    assert not {*NO_EFFECT, *NOT_MODELLED} - real - of_cloudformation
    assert not set(NO_EFFECT) & set(NOT_MODELLED)


def test_a_field_that_aws_adds_is_found():
    """What the walk would say if CreateFleet had one field more."""
    shape = model_of("ec2", "CreateFleet", "input", ())
    assert "SpotOptions" in shape.members
    assert list(unsaid(shape, inspect.type_info(SpotFleet)))


GROUP = {
    "DesiredCapacity": 2,
    "MixedInstancesPolicy": {"LaunchTemplate": {"Overrides": [{"InstanceType": "m5.large"}]}},
}
PLACED = {"InstanceType": "m5.large", "ImageId": "ami-1", "Monitoring": {"Enabled": True}}


def spot_fleet(line=(), **fields):
    return {"TargetCapacity": 1, "LaunchSpecifications": [{**PLACED, **dict(line)}], **fields}


def create_fleet(**fields):
    return {
        "TargetCapacitySpecification": {"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "spot"},
        "LaunchTemplateConfigs": [
            {"LaunchTemplateSpecification": {}, "Overrides": [{"InstanceType": "a.b"}]}
        ],
        "TagSpecifications": [{"ResourceType": "fleet"}],
        **fields,
    }


def spread(**fields):
    return {
        **GROUP,
        "MixedInstancesPolicy": {**GROUP["MixedInstancesPolicy"], "InstancesDistribution": fields},
    }


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (spread(DistributionSegments=[{"TargetCapacityTypes": ["spot"]}]), "DistributionSegments spot is"),
        (
            {**GROUP, "InstanceLifecyclePolicy": {"RetentionTriggers": {"TerminateHookAbandon": "retain"}}},
            "InstanceLifecyclePolicy retain",
        ),
        (
            {**GROUP, "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "balanced-only"}},
            "AvailabilityZoneDistribution balanced-only",
        ),
        (
            {
                **GROUP,
                "CapacityReservationSpecification": {
                    "CapacityReservationPreference": "capacity-reservations-first"
                },
            },
            "CapacityReservationSpecification capacity-reservations-first is not modelled: state reserved",
        ),
        ({**GROUP, "MaxInstanceLifetime": 86400}, "MaxInstanceLifetime 86400"),
        (create_fleet(ReservedCapacityOptions={"ReservationTypes": ["own"]}), "ReservedCapacityOptions own"),
        (create_fleet(ReplaceUnhealthyInstances=True), "ReplaceUnhealthyInstances is not modelled"),
        (spot_fleet({"Placement": {"Tenancy": "dedicated"}}), "Tenancy dedicated"),
        (spot_fleet({"Placement": {"GroupName": "g"}}), "GroupName g is not modelled: state the"),
        (spot_fleet({"WeightedCapcity": 2}), "LaunchSpecifications[].WeightedCapcity is not known"),
        (spot_fleet({"MaxPrice": "1"}), "LaunchSpecifications[].MaxPrice is not known"),
        (spot_fleet(TargetCapacityy=4), "TargetCapacityy is not known and left out of account"),
    ],
)  # fmt: skip
def test_what_changes_what_is_bought_is_named(document, words):
    (note,) = fleet.io.parse_request(document).notes
    assert words in note


@pytest.mark.parametrize(
    "document",
    [
        GROUP,
        {**GROUP, "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "balanced-best-effort"}},
        {**GROUP, "CapacityReservationSpecification": {"CapacityReservationPreference": "default"}},
        {**GROUP, "NewInstancesProtectedFromScaleIn": False, "TerminationPolicies": ["Default"]},
        {**GROUP, "SuspendedProcesses": [], "Tags": [{"Key": "k"}], "HealthCheckType": "EC2"},
        spread(DistributionSegments=[]),
        create_fleet(ReplaceUnhealthyInstances=False, FleetState="active", Context=None),
        spot_fleet({"Placement": {"Tenancy": "default", "GroupName": ""}}, FulfilledCapacity=2.0),
    ],
)
def test_what_changes_nothing_is_not_named(document):
    assert not fleet.io.parse_request(document).notes


def test_a_spot_request_names_them_too():
    stated = {"LaunchSpecification": {"InstanceType": "m5.large", "Placement": {"Tenancy": "dedicated"}}}
    assert fleet.io.parse_spot_request(stated).notes == (
        "Tenancy dedicated is not modelled: prices are those of shared tenancy",
    )
    assert notes_of(stated, SpotInstances)
