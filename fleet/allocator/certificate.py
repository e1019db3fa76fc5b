"""The certificate of an answer: how good it is, who says so, what binds; and pools that may get nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Binding", "Certificate", "Ineligible"]


@dataclass(frozen=True)
class Binding:
    """A limit that holds the answer back.

    Parameters
    ----------
    limit
        Which, in words: ``target``, ``budget``, ``capacity of m5.large us-east-1a``.
    shadow_price
        $ per hour by which one more ``per`` of it would change the cost of what the strategy buys, in
        fractional instances; ``None`` if not known.
    per
        What the price is of: ``unit``, ``instance``, ``$`` of budget, or a resource.
    """

    limit: str
    shadow_price: float | None = None
    per: str = "unit"

    def __str__(self) -> str:
        if self.shadow_price is None:
            return self.limit
        return f"{self.limit} (${self.shadow_price:.6g} per {self.per})"


@dataclass(frozen=True)
class Certificate:
    """How good an answer is, and who says so.

    Parameters
    ----------
    solver
        Who computed the bound (and, for ``rounding="exact"``, the answer).
    status
        ``optimal``: no whole-instance answer is better, proven. ``feasible``: follows the rule that was asked
        for; nothing can be below ``bound``. ``unfulfilled``: the target cannot be, or by AWS's rule is not,
        covered.
    objective_name, objective
        The strategy's first objective and its value for this answer.
    bound
        No answer that serves as many units has a lower value: the optimum over fractional instances, or of
        the integer program. ``None`` if none could be computed.
    binding
        The limits that bind.
    rounding
        ``aws`` or ``exact``.
    """

    solver: str
    status: str
    objective_name: str
    objective: float
    bound: float | None
    binding: tuple[Binding, ...] = ()
    rounding: str = "aws"

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective; 0 when they agree."""
        if self.bound is None:
            return None
        difference = self.objective - self.bound
        if difference <= 1e-9 * max(1.0, abs(self.objective)):
            return 0.0
        return difference / abs(self.objective)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "solver": self.solver,
            "status": self.status,
            "objective": self.objective,
            "bound": self.bound,
            "gap": self.gap,
            "objective_name": self.objective_name,
            "rounding": self.rounding,
            "binding": [
                {"limit": b.limit, "shadow_price": b.shadow_price, "per": b.per} for b in self.binding
            ],
        }


@dataclass(frozen=True)
class Ineligible:
    """A pool that got nothing because it may get nothing, and why."""

    instance_type: str
    availability_zone: str
    reason: str
