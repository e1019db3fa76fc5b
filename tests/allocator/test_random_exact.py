"""Random fleets under every kind of limit: against enumeration if small, else engine against engine."""

from __future__ import annotations

import numpy as np
import pytest

import fleet
from fleet import Cap, Limits
from fleet.domain.exact_numbers import to_nano, to_nano_scalar
from fleet.errors import InfeasibleError
from fleet.model import EvenShare, EvenSpread, Linear, useful_upper

STRATEGIES = (
    "lowestPrice",
    "diversified",
    "capacityOptimized",
    "capacityOptimizedPrioritized",
    "priceCapacityOptimized",
)
TYPES = (
    "m5.large",
    "m5.xlarge",
    "c5.large",
    "c5.xlarge",
    "r5.large",
    "g4dn.xlarge",
    "p3.2xlarge",
    "m6i.large",
)
ZONES = ("us-east-1a", "us-east-1b", "us-west-2a", "us-west-2b", "us-east-1c")
MOST_COUNTS = 150_000
CLOSE = 1e-7


def drawn(seed, most):
    """Return a request, its market and its limits: up to ``most`` pools."""
    rng = np.random.default_rng(seed)
    pairs = [(t, z) for t in TYPES for z in ZONES]
    n = int(rng.integers(2, most + 1))
    chosen = [pairs[k] for k in rng.permutation(len(pairs))[:n]]
    grid = ((1, 2, 4, 8), tuple(range(1, 13)), tuple(np.round(rng.uniform(1, 10, 6), 3)))[rng.integers(3)]
    weight = {t: float(rng.choice(grid)) for t in TYPES}
    target = int(rng.choice((1, 3, 5, 7, 10, 20) if most <= 6 else (5, 10, 30, 100, 334)))
    pools = fleet.LaunchPools.of(*map(list, zip(*chosen, strict=True)), weight=[weight[t] for t, _ in chosen])
    price = np.maximum(np.round(rng.uniform(0.005, 0.4, n), int(rng.integers(2, 5))), 0.01)
    room = rng.choice((1, 2, 3, 6, 12, np.inf), n)
    budget = float(np.round(rng.uniform(0.2, 2) * target / 10, 3)) if rng.random() < 0.3 else None
    request = fleet.FleetRequest(
        target,
        tuple(fleet.Override(t, weight=weight[t]) for t in dict.fromkeys(t for t, _ in chosen)),
        strategy=str(rng.choice(STRATEGIES)),
        spot_max_total_price=budget,
    )
    caps = []
    for by in rng.permutation(("pool", "zone", "family", "type", "region"))[: rng.integers(0, 4)].tolist():
        kind = rng.integers(3)
        caps.append(
            Cap(by, share=float(np.round(rng.uniform(0.2, 1), 2)))
            if kind == 0
            else Cap(by, units=float(rng.integers(1, target + 6)))
            if kind == 1
            else Cap(by, instances=int(rng.integers(1, 9)))
        )
    more = {}
    if rng.random() < 0.3:
        more["survive"] = str(rng.choice(("pool", "zone", "type", "family")))
    if rng.random() < 0.3:
        more["min_pools"] = int(rng.integers(1, min(n, 4) + 1))
    if rng.random() < 0.3:
        more["resources"] = {"gpus": float(rng.integers(1, 8))}
        more["per_instance"] = {"gpus": {t: int(rng.integers(0, 4)) for t in TYPES}}
    return request, fleet.Snapshot.of(pools, price, room), Limits(caps=tuple(caps), **more)


def asked(case, solver, limit=60.0):
    """Return the allocation, or None where no fleet meets the limits."""
    request, snapshot, limits = case
    try:
        return fleet.allocate(
            request, snapshot, rounding="exact", solver=solver, limits=limits, time_limit_s=limit
        )
    except InfeasibleError:
        return None


def enumerated(problem):
    """Return all counts that meet every row in whole numbers, shape (k, n); None if there are too many."""
    most = useful_upper(problem).astype(np.int64)
    if float(np.prod(most + 1.0)) > MOST_COUNTS:
        return None
    counts = np.stack(np.meshgrid(*[np.arange(m + 1) for m in most], indexing="ij"), -1).reshape(
        -1, len(most)
    )
    weight = to_nano(problem.weight, "weight")
    units = counts * weight
    kept = units.sum(axis=1) >= to_nano_scalar(problem.target, "target")
    if np.isfinite(problem.budget):
        price = to_nano(np.where(problem.open, problem.price, 0.0), "price")
        kept &= counts @ price <= to_nano_scalar(problem.budget, "budget")
    for limit in problem.limits:
        each = counts * to_nano(limit.coefficient(problem.weight), "weight")
        for g in np.flatnonzero(np.isfinite(limit.cap)):
            cap = to_nano_scalar(round(float(limit.cap[g]), 9), "cap")
            kept &= each[:, limit.group == g].sum(axis=1) <= cap
    for cover in problem.covers:
        kept &= counts @ cover.per_instance >= cover.least - 1e-9
    survival = problem.survival
    if survival is not None:
        for g, held in enumerate(survival.held):
            kept &= units[:, survival.group != g].sum(axis=1) >= to_nano_scalar(
                survival.least + held, "least"
            )
    kept &= (counts > 0).sum(axis=1) >= problem.min_pools
    return counts[kept]


def least_values(problem, counts):
    """Return the optimum of each objective over those of the objectives before it."""
    values = []
    for objective in problem.objectives:
        units = counts * problem.weight
        if isinstance(objective, Linear):
            value = counts @ np.where(problem.open, objective.per_instance, 0.0)
        elif isinstance(objective, EvenSpread):
            value = units.max(axis=1)
        else:
            assert isinstance(objective, EvenShare)
            value = np.clip(units - problem.even_share(objective), 0.0, None).sum(axis=1)
        values.append(float(value.min()))
        counts = counts[value <= values[-1] + 1e-9 * max(1.0, abs(values[-1]))]
    return values


def values_of(allocation):
    """Return what an allocation is worth in each objective."""
    return least_values(allocation.problem, allocation.spot_instances[None, :])


def hold_to_enumeration(seed, solver):
    """Compare one fleet of at most six pools with all its counts; whether it was small enough."""
    case = drawn(seed, 6)
    found = asked(case, solver)
    if found is None:
        return False
    counts = enumerated(found.problem)
    if counts is None:
        return False
    if not len(counts):
        assert found.certificate.status == "unfulfilled", seed
        return True
    assert found.certificate.status == "optimal", seed
    assert values_of(found) == pytest.approx(least_values(found.problem, counts), abs=CLOSE), seed
    return True


@pytest.mark.parametrize("solver", ["auto", "highs", "scipy", "pulp"])
def test_small_fleets_have_the_optimum_of_enumeration(solver):
    seeds = range(60) if solver == "auto" else range(100, 115)
    assert sum(hold_to_enumeration(seed, solver) for seed in seeds) > 0.4 * len(seeds)


@pytest.mark.deep
@pytest.mark.parametrize("solver", ["auto", "highs", "scipy", "pulp"])
def test_many_small_fleets_have_the_optimum_of_enumeration(solver):
    seeds = range(1000, 1600 if solver == "auto" else 1120)
    assert sum(hold_to_enumeration(seed, solver) for seed in seeds) > 0.4 * len(seeds)


def agree(seed, engines):
    """Compare engines on one fleet of at most 40 pools; what is proven may not be beaten by anyone."""
    case = drawn(seed, 40)
    found = {name: asked(case, name) for name in engines}
    known = {name: a for name, a in found.items() if a is not None}
    proven = {name: a for name, a in known.items() if a.certificate.status == "optimal"}
    for name, best in proven.items():
        first = best.certificate.objective
        for other, answer in known.items():
            if answer.certificate.status == "unfulfilled":
                assert answer.fulfilled_capacity < case[0].target or case[2].needs_exact, (seed, name, other)
            else:
                assert first <= answer.certificate.objective + CLOSE * max(1.0, first), (seed, name, other)
        for answer in proven.values():
            assert values_of(best) == pytest.approx(values_of(answer), abs=1e-6, rel=1e-8), seed


def test_engines_agree_on_fleets_of_up_to_forty_pools():
    for seed in range(5000, 5012):
        agree(seed, ("auto", "highs"))


@pytest.mark.deep
def test_engines_agree_on_many_fleets_of_up_to_forty_pools():
    for seed in range(6000, 6100):
        agree(seed, ("auto", "highs", "scipy", "pulp"))
