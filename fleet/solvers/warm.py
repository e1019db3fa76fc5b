"""One request, thousands of price updates: what does not change is kept between solves.

Compiled kernels (numba, if it is installed) where nothing couples the pools or limits nest; else a HiGHS
model that stays loaded, of which only the costs change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats
from fleet.errors import InputError, SolverError
from fleet.model import Linear, Problem, build, weighted_sum
from fleet.solvers.exact.closed_form import ClosedForm
from fleet.solvers.exact.integer_cover import TooLargeError, integer_cover

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["WarmAnswer", "WarmProblem"]


@dataclass(frozen=True, eq=False)
class WarmAnswer:
    """Instances a pool and their cost, or rows of them for many price vectors.

    Parameters
    ----------
    instances
        Shape (n,), or (k, n).
    cost_per_hour
        One number, or shape (k,); inf where the target is out of reach.
    solver
        Who solved it.
    """

    instances: Floats
    cost_per_hour: Any
    solver: str


def compiled_module() -> ModuleType | None:
    """Return the compiled kernels, or ``None`` where numba is not installed."""
    try:
        from fleet.solvers.compiled import kernels as compiled
    except ImportError:
        return None
    return compiled


class WarmProblem:
    """The cheapest cover of one region, solved again and again for new prices.

    Parameters
    ----------
    problem
        Its objectives are ignored: the price handed to `solve` is minimized. A budget is not allowed (it
        would change with the prices).
    compiled
        Whether to use compiled kernels; ``None`` uses them if numba is installed. Importing numba takes
        about 0.4 s once.

    Examples
    --------
    >>> import numpy as np
    >>> from fleet import Linear
    >>> from fleet.model import Problem
    >>> from fleet.solvers.warm import WarmProblem
    >>> region = Problem.of(np.array([1.0, 2.0]), 4.0, (Linear("cost", np.zeros(2)),), whole=True)
    >>> WarmProblem(region, compiled=False).solve(np.array([0.10, 0.15])).instances.tolist()
    [0.0, 2.0]
    """

    def __init__(self, problem: Problem, *, compiled: bool | None = None) -> None:
        if np.isfinite(problem.budget):
            raise InputError(
                "a warm problem with a budget", "cannot be: its row would change", "drop the budget"
            )
        self.problem = problem
        self.kernels = compiled_module() if compiled in (None, True) else None
        if compiled and self.kernels is None:
            raise SolverError("compiled kernels", "need numba", "pip install 'spotfleet[fast]'")
        self.weight = np.ascontiguousarray(problem.weight)
        self.upper = np.ascontiguousarray(problem.upper)
        self.whole_weight = self.weight.astype(np.int64)
        whole_units = bool((self.whole_weight == self.weight).all()) and problem.target == int(problem.target)
        if problem.whole and (problem.limits or not whole_units):
            raise InputError(
                "a warm problem in whole instances",
                "has whole weights and no limits",
                "use solver='auto' instead",
            )
        most = np.ceil(problem.target / self.weight)
        self.room = np.minimum(np.floor(self.upper), most).astype(np.int64)
        self.highs: Any = None

    def solve(self, price: npt.ArrayLike) -> WarmAnswer:
        """Return the cheapest cover at ``price``, shape (n,), $ per instance-hour."""
        column = np.ascontiguousarray(price, dtype=np.float64)
        if column.shape != self.weight.shape:
            raise InputError(
                f"a price column of shape {column.shape}", f"has one entry a pool ({len(self.weight)})"
            )
        if self.problem.whole:
            return self.solve_whole(column)
        if self.problem.limits:
            return self.solve_limited(column)
        if self.kernels is not None:
            instances = np.empty_like(column)
            cost = self.kernels.fill(column, self.weight, self.upper, self.problem.target, instances)
            return WarmAnswer(instances, cost, "compiled")
        return self.solve_cold(column)

    def solve_many(self, prices: npt.ArrayLike) -> WarmAnswer:
        """Return the cheapest covers at each row of ``prices``, shape (k, n)."""
        rows = np.ascontiguousarray(prices, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.weight):
            raise InputError(f"prices of shape {rows.shape}", f"have {len(self.weight)} columns, one a pool")
        if self.kernels is not None and not self.problem.whole and not self.problem.limits:
            instances, costs = np.empty_like(rows), np.empty(len(rows))
            self.kernels.fill_many(rows, self.weight, self.upper, self.problem.target, instances, costs)
            return WarmAnswer(instances, costs, "compiled")
        answers = [self.solve(row) for row in rows]
        if not answers:
            return WarmAnswer(np.empty_like(rows), np.empty(0), "none")
        return WarmAnswer(
            np.array([answer.instances for answer in answers]),
            np.array([answer.cost_per_hour for answer in answers]),
            answers[0].solver,
        )

    def solve_cold(self, price: Floats) -> WarmAnswer:
        """Solve in numpy, building the problem anew."""
        p = self.problem
        problem = Problem.of(
            p.weight, p.target, (Linear("cost_per_hour", price),), upper=p.upper, limits=p.limits
        )
        solution = ClosedForm().solve(problem)
        if solution.instances is None:
            return WarmAnswer(np.zeros_like(price), np.inf, "closed-form")
        return WarmAnswer(solution.instances, solution.values[0], "closed-form")

    def solve_whole(self, price: Floats) -> WarmAnswer:
        """Solve the exact integer cover."""
        target = int(self.problem.target)
        if int((self.room * self.whole_weight).sum()) < target:
            return WarmAnswer(np.zeros_like(price), np.inf, "none")
        money = whole_money(price)
        if int(money.max(initial=1)) * int(self.whole_weight.max()) * max(target, 1) > 2**61:
            raise InputError("prices and weights", "are too fine for the exact cover", "round the prices")
        if self.kernels is not None:
            counts = np.zeros(len(price), dtype=np.int64)
            status, _, _ = self.kernels.cover(money, self.whole_weight, self.room.copy(), target, counts)
            if status == 0:
                return WarmAnswer(counts.astype(np.float64), weighted_sum(price, counts), "compiled")
        try:
            found = integer_cover(money, self.whole_weight, self.room, target).counts
        except TooLargeError:
            raise SolverError(
                "this exact cover", "needs too large a dynamic program", "use solver='highs'"
            ) from None
        return WarmAnswer(found.astype(np.float64), weighted_sum(price, found), "closed-form")

    def solve_limited(self, price: Floats) -> WarmAnswer:
        """Solve under limits: by the nested greedy if they nest, else by a HiGHS model kept loaded."""
        nested = Problem.of(
            self.weight,
            self.problem.target,
            (Linear("c", price),),
            upper=self.upper,
            limits=self.problem.limits,
        )
        if ClosedForm().can(nested):
            return self.solve_cold(price)
        if self.highs is None:
            self.highs = loaded_highs(self.problem)
        import highspy

        columns = np.arange(len(price), dtype=np.int32)
        self.highs.changeColsCost(len(price), columns, price)
        self.highs.run()
        if self.highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return WarmAnswer(np.zeros_like(price), np.inf, "highs")
        instances = np.array(self.highs.getSolution().col_value)[: len(price)]
        return WarmAnswer(instances, weighted_sum(price, instances), "highs")


def loaded_highs(problem: Problem) -> Any:
    """Return a HiGHS object that holds the region of a problem."""
    from fleet.solvers.engines.highs import pass_model

    plain = Problem.of(
        problem.weight,
        problem.target,
        (Linear("cost_per_hour", np.zeros(len(problem))),),
        upper=problem.upper,
        limits=problem.limits,
    )
    return pass_model(build(plain))


def whole_money(price: Floats) -> npt.NDArray[np.int64]:
    """Return prices as whole numbers of the coarsest of 1e-4, 1e-6 and 1e-9 dollars that holds them."""
    for scale in (1e4, 1e6, 1e9):
        scaled = price * scale
        whole = np.rint(scaled)
        if bool((np.abs(scaled - whole) <= 1e-6 + np.abs(scaled) * 4e-16).all()):
            return whole.astype(np.int64)
    raise InputError("prices", "have at most 9 decimals", "round them")
