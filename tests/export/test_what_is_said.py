"""Each fact of a request in each form: it reads back, or a warning names it, or there is one clear error."""

import dataclasses
import json
import re
from datetime import UTC, datetime

import hcl2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.domain.expansion import SELECTION
from fleet.domain.request import Placement
from fleet.export import FORMS, identity_of
from fleet.export.aws import create_fleet, spot_fleet
from fleet.export.deployment import narrowed
from fleet.export.hcl import hcl_text, identifier, json_text
from fleet.export.unsaid import FACTS
from tests.helpers.aws_documents import IDENTITY, OPERATIONS, request, valid

AWS_FORM = {"terraform-fleet": "create-fleet", "terraform-asg": "auto-scaling-group"}
ROWS = tuple(
    (kind, zone, weight, weight * price, weight * 0.096)
    for kind, weight, price in (("m5.large", 1, 0.035), ("m5.xlarge", 2, 0.036), ("c5.2xlarge", 4, 0.033))
    for zone, price in (("us-east-1a", price), ("us-east-1b", price + 0.001))
)
SUBNETS = (("us-east-1a", "subnet-1"), ("us-east-1b", "subnet-2"))
DAY = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
PRIORITIES = {"m5.large": 0.0, "m5.xlarge": 1.0, "c5.2xlarge": 2.0}
NOTE = f"{SELECTION} kept 4 overrides and dropped 3 types"


def all_pools(**changes):
    return request(20, ROWS, **changes)


def plain(**changes):
    """A request of one type in two zones, weight 1, that says nothing beyond the least."""
    overrides = tuple(fleet.Override("m5.large", zone) for zone in ("us-east-1a", "us-east-1b"))
    return fleet.FleetRequest(6, overrides, **changes)


def of_rows(**fields):
    """A request of all rows of the market, with fields of the overrides."""
    return dataclasses.replace(
        all_pools(), overrides=tuple(dataclasses.replace(o, **fields) for o in all_pools().overrides)
    )


PRIORITIZED = dataclasses.replace(
    all_pools(strategy="capacityOptimizedPrioritized"),
    overrides=tuple(
        dataclasses.replace(o, priority=PRIORITIES[o.instance_type]) for o in all_pools().overrides
    ),
)
CASES = {
    "AllocationStrategy": plain(strategy="priceCapacityOptimized"),
    "OnDemandAllocationStrategy": plain(on_demand_strategy="prioritized", on_demand_target_capacity=2),
    "InstancePoolsToUseCount": plain(instance_pools_to_use_count=2),
    "max price": of_rows(max_price=0.07),
    "SpotMaxTotalPrice": plain(spot_max_total_price=5.0),
    "OnDemandMaxTotalPrice": plain(on_demand_max_total_price=7.25, on_demand_target_capacity=2),
    "Priority": PRIORITIZED,
    "WeightedCapacity": all_pools(),
    "InstanceRequirements": plain(notes=(NOTE,)),
    "Type": plain(fleet_type="request"),
    "InstanceInterruptionBehavior": plain(interruption_behavior="hibernate"),
    "ExcessCapacityTerminationPolicy": plain(terminate_excess=False),
    "ValidFrom": plain(valid_from=DAY),
    "ValidUntil": plain(valid_until=DAY),
    "TerminateInstancesWithExpiration": plain(valid_until=DAY, terminate_at_expiry=True),
    "CapacityRebalance launch": plain(capacity_rebalance="launch"),
    "TerminationDelay": plain(capacity_rebalance="launch-before-terminate", termination_delay_s=300),
    "single type or zone, MinTargetCapacity": plain(
        fleet_type="instant",
        on_demand_target_capacity=2,
        single_instance_type=True,
        min_target_capacity=4,
        on_demand_placement=Placement(single_availability_zone=True, min_target_capacity=2),
    ),
    "use-capacity-reservations-first": plain(
        fleet_type="instant", on_demand_target_capacity=2, reservations_first=True
    ),
    "balanced zones": plain(balance_zones=True),
}
IDENTITIES = {
    "ReplaceUnhealthyInstances": {"replace_unhealthy": True},
    "Context": {"context": "anything"},
    "tags": {"tags": (("team", 'a "b" ${c} %{d}'), ("x", "y"))},
    "tags of instances": {"instance_tags": (("team", "b\\c"),)},
    "subnets": {"subnets": SUBNETS},
    "MinSize and MaxSize": {"group_sizes": (2, 40)},
}
VALUES = {
    "AllocationStrategy": lambda r, i: r.strategy,
    "OnDemandAllocationStrategy": lambda r, i: r.on_demand_strategy,
    "InstancePoolsToUseCount": lambda r, i: r.instance_pools_to_use_count,
    "max price": lambda r, i: {r.max_price if o.max_price is None else o.max_price for o in r.overrides},
    "SpotMaxTotalPrice": lambda r, i: r.spot_max_total_price,
    "OnDemandMaxTotalPrice": lambda r, i: r.on_demand_max_total_price,
    "Priority": lambda r, i: [o.instance_type for o in sorted(r.overrides, key=lambda o: o.priority)][:1],
    "WeightedCapacity": lambda r, i: {o.instance_type: o.weight for o in r.overrides},
    "InstanceRequirements": lambda r, i: r.notes,
    "Type": lambda r, i: r.fleet_type,
    "InstanceInterruptionBehavior": lambda r, i: r.interruption_behavior,
    "ExcessCapacityTerminationPolicy": lambda r, i: r.terminate_excess,
    "ValidFrom": lambda r, i: r.valid_from,
    "ValidUntil": lambda r, i: r.valid_until,
    "TerminateInstancesWithExpiration": lambda r, i: r.terminate_at_expiry,
    "CapacityRebalance launch": lambda r, i: r.capacity_rebalance,
    "TerminationDelay": lambda r, i: r.termination_delay_s,
    "single type or zone, MinTargetCapacity": lambda r, i: (r.spot_placement, r.on_demand_placement),
    "use-capacity-reservations-first": lambda r, i: r.reservations_first,
    "balanced zones": lambda r, i: r.balance_zones,
    "ReplaceUnhealthyInstances": lambda r, i: i.replace_unhealthy,
    "Context": lambda r, i: i.context,
    "tags": lambda r, i: dict(i.tags),
    "tags of instances": lambda r, i: dict(i.instance_tags),
    "subnets": lambda r, i: {o.availability_zone for o in r.overrides},
    "MinSize and MaxSize": lambda r, i: i.group_sizes,
}
TEMPLATE = {"launch_template_id", "launch_template_name", "version"}
PROVIDER = {
    "aws_ec2_fleet": {
        "type", "excess_capacity_termination_policy", "terminate_instances_with_expiration", "context",
        "replace_unhealthy_instances", "valid_from", "valid_until", "tags", "launch_template_config",
        "target_capacity_specification", "spot_options", "on_demand_options",
    },
    "aws_autoscaling_group": {
        "name", "min_size", "max_size", "desired_capacity", "availability_zones", "vpc_zone_identifier",
        "capacity_rebalance", "context", "mixed_instances_policy", "tag",
    },
    "launch_template_config": {"launch_template_specification", "override"},
    "launch_template": {"launch_template_specification", "override"},
    "launch_template_specification": TEMPLATE,
    "override": {
        "instance_type", "availability_zone", "subnet_id", "weighted_capacity", "max_price", "priority",
        "launch_template_specification",
    },
    "target_capacity_specification": {
        "default_target_capacity_type", "total_target_capacity", "on_demand_target_capacity",
        "spot_target_capacity",
    },
    "spot_options": {
        "allocation_strategy", "instance_interruption_behavior", "instance_pools_to_use_count",
        "maintenance_strategies",
    },
    "on_demand_options": {"allocation_strategy", "max_total_price"},
    "maintenance_strategies": {"capacity_rebalance"},
    "capacity_rebalance": {"replacement_strategy", "termination_delay"},
    "mixed_instances_policy": {"instances_distribution", "launch_template"},
    "instances_distribution": {
        "on_demand_allocation_strategy", "on_demand_base_capacity", "spot_allocation_strategy",
        "on_demand_percentage_above_base_capacity", "spot_instance_pools", "spot_max_price",
    },
    "tag": {"key", "value", "propagate_at_launch"},
}  # fmt: skip
"""Arguments and blocks of the AWS provider's schema, by the block that they stand in; such as are used."""
NOT_INSTANT = ("spot-fleet", "auto-scaling-group", "terraform-fleet", "terraform-asg")
REFUSED = {
    "Type": ("auto-scaling-group", "terraform-asg"),
    "single type or zone, MinTargetCapacity": NOT_INSTANT,
    "use-capacity-reservations-first": NOT_INSTANT,
}
ALWAYS_SO = {("ReplaceUnhealthyInstances", form) for form in ("auto-scaling-group", "terraform-asg")}


@pytest.mark.parametrize("form", [form for form in FORMS if form != "csv"])
@pytest.mark.parametrize("fact", FACTS)
def test_each_fact_is_written_or_named(fact, form):
    wanted = CASES.get(fact, plain())
    if AWS_FORM.get(form, form) == "auto-scaling-group":  # else its plan is written pool by pool
        wanted = dataclasses.replace(wanted, balance_zones=True)
    identity = dataclasses.replace(IDENTITY, **IDENTITIES.get(fact, {}))
    assert FACTS[fact](wanted, identity)
    allocation = planned(wanted)
    if form in REFUSED.get(fact, ()):
        with pytest.raises(fleet.InputError, match=r"Type|instant"):
            fleet.export.export_plan(allocation, form, identity=identity)
        return
    plan = fleet.export.export_plan(allocation, form, identity=identity, hcl=True)
    named = any(fact in warning for warning in plan.warnings)
    if form in ("karpenter", "skypilot"):
        assert named or (fact, form) in ALWAYS_SO
        return
    documents = documents_of(plan.text, form)
    for document in documents:
        valid(AWS_FORM.get(form, form), document)
    read = [said_by(document, identity) for document in documents]
    value = VALUES[fact]
    planned_value = value(narrowed(allocation), identity)
    told = all(FACTS[fact](*one) and value(*one) == planned_value for one in read)
    assert told != named or (fact, form) in ALWAYS_SO, (plan.warnings, documents)


def planned(wanted):
    """The plan of a request at the prices of `ROWS`."""
    listed = {(row[0], row[1]): row[3:] for row in ROWS}
    spot, on_demand = zip(
        *(listed[o.instance_type, o.availability_zone] for o in wanted.overrides), strict=True
    )
    prices = [wanted.max_price if o.max_price is None else o.max_price for o in wanted.overrides]
    pools = fleet.LaunchPools.of(
        [o.instance_type for o in wanted.overrides],
        [o.availability_zone for o in wanted.overrides],
        weight=[o.weight for o in wanted.overrides],
        on_demand_price=on_demand,
        max_price=[float("nan") if price is None else price for price in prices],
        priority=[float("inf") if o.priority is None else o.priority for o in wanted.overrides],
    )
    return fleet.allocate(wanted, fleet.Snapshot.of(pools, list(spot), [5.0] * len(spot)))


def said_by(document, identity):
    """What a document says, request and identity."""
    request = fleet.io.parse_request(document, subnet_zones=identity.subnet_zones)
    said = identity_of(document)
    by_subnet = "SubnetId" in json.dumps(document) or "VPCZoneIdentifier" in document
    return request, dataclasses.replace(said, subnets=identity.subnets if by_subnet else ())


def documents_of(text, form):
    """The AWS documents of a form's text; Terraform's is turned back into them."""
    if form not in AWS_FORM:
        document = json.loads(text)
        return document if isinstance(document, list) else [document]
    resources = [bare(block) for block in hcl2.loads(text)["resource"]]
    for resource in resources:
        for kind, labelled in resource.items():
            for arguments in labelled.values():
                known_to_the_provider(kind, arguments)
    return [
        (as_fleet if kind == "aws_ec2_fleet" else as_group)(arguments)
        for resource in resources
        for kind, labelled in resource.items()
        for arguments in labelled.values()
    ]


def known_to_the_provider(block, arguments):
    assert set(arguments) <= PROVIDER[block], block
    for name, value in arguments.items():
        if isinstance(value, list) and isinstance(value[0], dict):
            for one in value:
                known_to_the_provider(name, one)


def bare(value):
    """Values as Terraform has them: texts without quotes and escapes, a single block for its list."""
    if isinstance(value, str):
        text = json.loads(value) if value.startswith('"') else value
        return text.replace("$${", "${").replace("%%{", "%{")
    if isinstance(value, dict):
        return {bare(k): bare(v) for k, v in value.items() if not k.startswith("__")}
    return [bare(item) for item in value] if isinstance(value, list) else value


def pascal(value):
    """Field names as AWS's."""
    if isinstance(value, dict):
        return {"".join(part.title() for part in k.split("_")): pascal(v) for k, v in value.items()}
    return [pascal(item) for item in value] if isinstance(value, list) else value


def as_fleet(arguments):
    tags = arguments.pop("tags", {})
    config = pascal(arguments)
    (config["TargetCapacitySpecification"],) = config["TargetCapacitySpecification"]
    for options in ("SpotOptions", "OnDemandOptions"):
        (found,) = config[options]
        found["AllocationStrategy"] = found["AllocationStrategy"].replace("lowestPrice", "lowest-price")
        for name in ("MaintenanceStrategies", "CapacityReservationOptions"):
            if name in found:
                (found[name],) = found[name]
                if "CapacityRebalance" in found[name]:
                    (found[name]["CapacityRebalance"],) = found[name]["CapacityRebalance"]
        config[options] = found
    for template in config["LaunchTemplateConfig"]:
        (template["LaunchTemplateSpecification"],) = template["LaunchTemplateSpecification"]
        template["Overrides"] = template.pop("Override")
    config["LaunchTemplateConfigs"] = config.pop("LaunchTemplateConfig")
    if tags:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        config["TagSpecifications"] = [{"ResourceType": "fleet", "Tags": pairs}]
    return config


def as_group(arguments):
    config = pascal(arguments)
    config["AutoScalingGroupName"] = config.pop("Name")
    (policy,) = config["MixedInstancesPolicy"]
    (policy["InstancesDistribution"],) = policy["InstancesDistribution"]
    (template,) = policy["LaunchTemplate"]
    (template["LaunchTemplateSpecification"],) = template["LaunchTemplateSpecification"]
    template["Overrides"] = template.pop("Override")
    for line in template["Overrides"]:
        if "LaunchTemplateSpecification" in line:
            (line["LaunchTemplateSpecification"],) = line["LaunchTemplateSpecification"]
    config["MixedInstancesPolicy"] = {**policy, "LaunchTemplate": template}
    if "VpcZoneIdentifier" in config:
        config["VPCZoneIdentifier"] = ",".join(config.pop("VpcZoneIdentifier"))
    if "Tag" in config:
        config["Tags"] = config.pop("Tag")
    return config


NASTY = 'q"uo\\te ${x} %{y} $${z}\nnew\tline ü \x01'


def test_hcl_and_its_json_escape_what_terraform_would_evaluate():
    resources = {
        "a_thing": {identifier("9 my-name"): {"text": NASTY, "tags": {NASTY: "v", "n": 1}, "b": True}}
    }
    (block,) = hcl2.loads(hcl_text(resources))["resource"]
    (arguments,) = bare(block)["a_thing"].values()
    assert arguments["tags"][NASTY] == "v"
    assert (arguments["text"], arguments["b"]) == (NASTY, True)
    assert list(bare(block)["a_thing"]) == ["_9_my_name"]
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", hcl_text(resources))
    inside = json.loads(json_text(resources))["resource"]["a_thing"]["_9_my_name"]["text"]
    assert inside == NASTY.replace("${", "$${").replace("%{", "%%{")


def test_terraform_counts_priorities_from_one():
    """The provider's schema takes 0 for a priority that is not stated."""
    plan = fleet.export.export_plan(planned(PRIORITIZED), "terraform-fleet", hcl=True)
    assert re.findall(r"priority += (\S+)", plan.text)[0] == "1.0"
    assert "priority = 0" not in plan.text


def test_every_pool_is_written_where_that_is_the_plan_too():
    """What a narrow fleet loses it can replace in its own pools only; limits that AWS lacks stay narrow."""
    allocation = planned(all_pools())
    narrow = fleet.export.export_plan(allocation, "create-fleet", identity=IDENTITY)
    assert (
        "1 of the request's 6 pools" in narrow.warnings[0] or "of the request's 6 pools" in narrow.warnings[0]
    )
    wide = fleet.export.export_plan(allocation, "create-fleet", identity=IDENTITY, every_pool=True)
    (document,) = documents_of(wide.text, "create-fleet")
    assert len(document["LaunchTemplateConfigs"][0]["Overrides"]) == 6
    assert wide.warnings == ()
    limits = fleet.Limits(caps=(fleet.Cap("zone", share=0.5),))
    capped = fleet.allocate(all_pools(), allocation.snapshot, limits=limits)
    told = fleet.export.export_plan(capped, "create-fleet", identity=IDENTITY, every_pool=True).warnings
    assert any("every pool" in warning or "one request a pool" in warning for warning in told)


def test_a_file_says_what_no_form_carries():
    document = {
        "TargetCapacity": 2,
        "LoadBalancersConfig": {"ClassicLoadBalancersConfig": {"ClassicLoadBalancers": [{"Name": "x"}]}},
        "TagSpecifications": [
            {"ResourceType": "spot-fleet-request", "Tags": [{"Key": "a", "Value": "b"}]},
            {"ResourceType": "instance", "Tags": [{"Key": "c", "Value": "d"}]},
        ],
        "LaunchTemplateConfigs": [
            {
                "LaunchTemplateSpecification": {"LaunchTemplateName": name, "Version": "1"},
                "Overrides": [{"InstanceType": "m5.large", "ImageId": "ami-1"}],
            }
            for name in ("one", "two")
        ],
    }
    answer = {"SpotFleetRequestConfig": document, "Tags": [{"Key": "team", "Value": "x"}]}
    found = identity_of({"SpotFleetRequestConfigs": [answer]})
    tags = (("a", "b"), ("team", "x"))  # AWS answers a fleet's tags beside its config
    assert (found.launch_template, found.tags, found.instance_tags) == ("one", tags, (("c", "d"),))
    told = " ".join(found.left_out)
    assert all(word in told for word in ("the first is written", "LoadBalancersConfig", "ImageId"))
    plan = fleet.export.export_plan(planned(plain()), "create-fleet", identity=found)
    assert set(found.left_out) <= set(plan.warnings)


@pytest.mark.parametrize(
    "fields",
    [
        {"TagSpecifications": [{"Tags": [{"Value": "no key"}]}]},
        {"Tags": ["a"]},
        {"MinSize": "few", "MaxSize": 3},
        {"LaunchTemplateConfigs": [{"Overrides": [3]}, {"Overrides": 4}]},
    ],
)
def test_a_file_in_another_layout_is_one_clear_error(fields):
    with pytest.raises(fleet.InputError, match="not laid out as the API has them"):
        identity_of(fields)


def test_each_type_keeps_its_launch_template():
    """Such as one for x86 and one for Arm; one that the user states is for all."""
    configs = [
        {
            "LaunchTemplateSpecification": {"LaunchTemplateName": name, "Version": "1"},
            "Overrides": [{"InstanceType": kind}],
        }
        for name, kind in (("first", "m5.large"), ("second", "m5.xlarge"), ("first", "c5.2xlarge"))
    ]
    found = identity_of({"LaunchTemplateConfigs": configs})
    assert found.left_out == ()
    for form in ("create-fleet", "auto-scaling-group", "terraform-fleet", "terraform-asg"):
        wanted = all_pools(balance_zones=AWS_FORM.get(form, form) == "auto-scaling-group")
        plan = fleet.export.export_plan(planned(wanted), form, identity=found, hcl=True, every_pool=True)
        (document,) = documents_of(plan.text, form)
        valid(AWS_FORM.get(form, form), document)
        assert identity_of(document).template_of("m5.xlarge") == ("second", "1")
        assert identity_of(document).template_of("c5.2xlarge") == ("first", "1")
    stated = fleet.export.LaunchIdentity.parse("lt-1:2").over(found)
    assert stated.template_of("m5.xlarge") == ("lt-1", "2")


TWO = st.sampled_from(["us-east-1a", "us-east-1b"])
MONEY = st.none() | st.integers(1, 400).map(lambda n: n / 100)


@st.composite
def requests(draw):
    """Any request that both fleet APIs can say."""
    kind = draw(st.sampled_from(["maintain", "request"]))
    strategy = draw(st.sampled_from(["lowestPrice", "diversified", "capacityOptimizedPrioritized"]))
    target = draw(st.integers(1, 50))
    maintain, replacement = (
        kind == "maintain",
        draw(st.sampled_from([None, "launch", "launch-before-terminate"])),
    )
    before = maintain and replacement == "launch-before-terminate"
    overrides = draw(
        st.lists(
            st.builds(
                fleet.Override,
                st.sampled_from(["m5.large", "c5.large", "r5.xlarge"]),
                st.none() | TWO,
                st.sampled_from([1.0, 2.0, 4.5]),
                MONEY,
                st.none() | st.integers(0, 3).map(float),
            ),
            min_size=1,
            max_size=4,
        )
    )
    moments = st.none() | st.integers(1_800_000_000, 1_900_000_000).map(
        lambda s: datetime.fromtimestamp(s, UTC)
    )
    return fleet.FleetRequest(
        target,
        tuple(overrides),
        on_demand_target_capacity=draw(st.integers(0, target)),
        strategy=strategy,
        on_demand_strategy=draw(st.sampled_from(["lowestPrice", "prioritized"])),
        instance_pools_to_use_count=draw(st.none() | st.integers(1, 3))
        if strategy == "lowestPrice"
        else None,
        spot_max_total_price=draw(MONEY),
        on_demand_max_total_price=draw(MONEY),
        fleet_type=kind,
        interruption_behavior=draw(st.sampled_from(["terminate", "stop", "hibernate"]))
        if maintain
        else "terminate",
        terminate_excess=draw(st.booleans()) if maintain else True,
        valid_from=draw(moments),
        valid_until=draw(moments),
        terminate_at_expiry=draw(st.booleans()),
        capacity_rebalance=replacement if maintain else None,
        termination_delay_s=draw(st.integers(120, 7200)) if before else None,
    )


@settings(max_examples=60, deadline=None)
@given(requests())
def test_what_is_written_is_the_request_again(wanted):
    for form, write in (("spot-fleet", spot_fleet), ("create-fleet", create_fleet)):
        document = json.loads(json.dumps(write(wanted, IDENTITY)))
        valid(form, document)
        assert fleet.io.parse_request(document) == wanted
    assert set(OPERATIONS) <= set(FORMS)


def test_a_plan_over_regions_is_a_request_in_each():
    """No fleet and no group launches outside the region that it is made in."""
    pools = fleet.LaunchPools.of(
        ["m5.large", "m5.large"], availability_zone=["us-east-1a", "us-west-2a"], on_demand_price=0.096
    )
    overrides = tuple(fleet.Override("m5.large", availability_zone=zone) for zone in pools.availability_zone)
    wanted = fleet.FleetRequest(target_capacity=4, overrides=overrides, strategy="diversified")
    allocation = fleet.allocate(wanted, fleet.Snapshot.of(pools, spot_price=[0.03, 0.04]))
    for form in ("spot-fleet", "create-fleet", "auto-scaling-group", "terraform-fleet"):
        plan = fleet.export.export_plan(allocation, form, identity=IDENTITY)
        if form == "terraform-fleet":
            assert len(json.loads(plan.text)["resource"]["aws_ec2_fleet"]) == 2
        else:
            assert len(json.loads(plan.text)) == 2
        assert any("zones of us-east-1, us-west-2 take a request in each region" in w for w in plan.warnings)
