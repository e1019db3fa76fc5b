"""Ten thousand small fleets over every limit, choice, part and group, against plain enumeration.

A twentieth of them in `make test`. Held: the units that are covered, every objective stage by stage, status
and bound; by AWS's rule also the instances. The draws must be such that limits bind.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from fleet.errors import InfeasibleError
from tests.helpers.enumeration import Launches
from tests.helpers.launch_rule_twin import by_rule
from tests.helpers.random_cases import draw_case

SHARD = 100
SHARDS = [pytest.param(k, marks=[pytest.mark.deep] * (k >= 5)) for k in range(100)]
KINDS = {
    "spot budget": lambda case: case.spot_budget is not None,
    "on-demand budget": lambda case: case.on_demand_budget is not None,
    "spot wish": lambda case: case.spot_wish != type(case.spot_wish)(),
    "on-demand wish": lambda case: case.on_demand_wish != type(case.on_demand_wish)(),
    "cap": lambda case: any(not cap.spot and cap.by != "partition" for cap in case.limits.caps),
    "spot cap": lambda case: any(cap.spot for cap in case.limits.caps),
    "placement": lambda case: case.limits.placement is not None,
    "resources": lambda case: bool(case.limits.resources),
    "min pools": lambda case: case.limits.min_pools > 1,
    "survive": lambda case: case.limits.survive is not None,
}
LEAST_BINDING = {"on-demand wish": 0.04, "placement": 0.08, "spot wish": 0.1}
"""Of the cases that have a limit of a kind, those that would be answered better without it; 0.2 by default.

Nothing bounds on-demand pools: a single type or zone costs more only beside a budget or a cap.
"""


@pytest.mark.parametrize("shard", SHARDS)
def test_every_answer_equals_enumeration(shard):
    for seed in range(shard * SHARD, (shard + 1) * SHARD):
        case = draw_case(seed)
        try:
            check(case)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}\n{case}") from error


def check(case):
    """Hold one answer to what enumeration finds."""
    launches = Launches(case)
    best = launches.best()
    try:
        allocation = case.allocate()
    except InfeasibleError:
        assert best is None, f"called infeasible, {best} is possible"
        return
    if best is None:
        check_nothing_possible(case, allocation)
        return
    together = any("decided together" in note for note in allocation.warnings)
    mine = only(launches, allocation.on_demand_instances, allocation.spot_instances)
    own = mine.best()
    assert own is not None, "the answer is not allowed"
    if case.rounding == "aws" and not together:
        bought = allocation.on_demand_instances.tolist(), allocation.spot_instances.tolist()
        assert bought == by_rule(case) or (case.pools_to_use or 1) > 1, "instances"
        assert own[0][0] >= best[0][0]
        assert own[0] == best[0] or not case.tied
        first, second = (int(part[0]) for part in mine.short)
        assert allocation.unfulfilled == bool(first or second)
    else:
        assert own[0] == best[0], "units"
        assert own[1] == pytest.approx(best[1], rel=1e-7, abs=1e-9), "objectives"
        assert allocation.unfulfilled == bool(best[0][0])
    check_bounds(case, launches, allocation, own)


def check_nothing_possible(case, allocation):
    """No launch meets the minima: none where no pool is eligible, or below a least capacity."""
    assert allocation.unfulfilled
    held = [binding.limit for binding in allocation.certificate.binding]
    certificate = allocation.on_demand_certificate
    held += [] if certificate is None else [binding.limit for binding in certificate.binding]
    assert any(limit == "no pool is eligible" or limit.startswith("min target") for limit in held)
    assert case.rounding == "exact"


def only(launches, on_demand, spot):
    """The one launch of an answer, as an enumeration of its own."""
    mine = Launches(launches.case)
    mine.__dict__["counts"] = np.concatenate((on_demand, spot))[None, :]
    return mine


def check_bounds(case, launches, allocation, own):
    """No allowed launch of as many units lies below a bound, and what is called optimal is."""
    values = dict(zip(("on-demand", "spot"), first_values(case, launches), strict=True))
    own_short = only(launches, allocation.on_demand_instances, allocation.spot_instances).short
    certificates = {"on-demand": allocation.on_demand_certificate, "spot": allocation.certificate}
    ok = launches.allowed()
    for k, (part, certificate) in enumerate(certificates.items()):
        if certificate is None or certificate.bound is None or values[part] is None:
            continue
        if part == "spot" and (case.spot_target <= 0 or case.tied):
            continue  # beside the on-demand part's own choice: held by the objectives above
        if case.limits.placement == "cluster" and case.on_demand > 0:
            continue  # within the zone that both parts together have chosen
        as_many = ok & (launches.short[k] <= own_short[k][0])
        if case.tied:
            as_many &= launches.short[1 - k] <= own_short[1 - k][0]
        if as_many.any() and not case.limits.survive:
            assert certificate.bound <= values[part][as_many].min() + 1e-7 * max(1.0, certificate.bound)
        if certificate.status == "optimal":
            assert certificate.objective == pytest.approx(certificate.bound, rel=1e-8, abs=1e-9)
            if case.rounding == "exact":
                offset = 0 if part == "on-demand" or case.on_demand <= 0 else len(own[1]) - spot_stages(case)
                assert certificate.objective == pytest.approx(own[1][offset], rel=1e-7, abs=1e-9)


def spot_stages(case):
    """How many objectives the Spot strategy has."""
    return len(
        Launches(replace(case, on_demand=0.0)).objectives(np.zeros((1, case.n)), np.zeros((1, case.n)))
    )


def first_values(case, launches):
    """The first objective of each part, a value a launch; None where a part wants nothing."""
    values = launches.objectives(launches.on_demand, launches.spot)
    split = len(values) - spot_stages(case)
    return (values[0] if case.on_demand > 0 else None, values[split] if case.spot_target > 0 else None)


def test_limits_bind_in_the_draws():
    drawn, bound = Counter(), Counter()
    for seed in range(600):
        case = draw_case(seed)
        launches = Launches(case)
        best = launches.best()
        for kind, has in KINDS.items():
            if has(case):
                drawn[kind] += 1
                bound[kind] += differs(best, launches.best(without=kind))
    shares = {kind: bound[kind] / drawn[kind] for kind in KINDS}
    assert min(drawn.values()) >= 20, drawn
    assert not [kind for kind in KINDS if shares[kind] < LEAST_BINDING.get(kind, 0.2)], shares


def differs(best, freer):
    """Whether an answer is better without a limit."""
    if best is None or freer is None:
        return best is not freer
    return best[0] != freer[0] or best[1] != pytest.approx(freer[1], rel=1e-9, abs=1e-12)
