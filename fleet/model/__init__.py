"""Linear and mixed-integer programs as arrays: objectives, the shared region, and the rows they become."""

from fleet.model.arrays import Model, Row, build, objective_row
from fleet.model.bounds import useful_upper
from fleet.model.objectives import (
    EvenShare,
    EvenSpread,
    Linear,
    Objective,
    Shortfall,
    order_key,
    order_keys,
    pool_order,
)
from fleet.model.problem import Cover, GroupLimit, Problem, Survival, Unbounded
from fleet.model.reduction import priced, restricted, weighted_sum

__all__ = [
    "Cover",
    "EvenShare",
    "EvenSpread",
    "GroupLimit",
    "Linear",
    "Model",
    "Objective",
    "Problem",
    "Row",
    "Shortfall",
    "Survival",
    "Unbounded",
    "build",
    "objective_row",
    "order_key",
    "order_keys",
    "pool_order",
    "priced",
    "restricted",
    "useful_upper",
    "weighted_sum",
]
