"""``hindsight_optimum``: the least that anybody could have paid, and the clairvoyant's plan as a replay."""

from __future__ import annotations

from fleet.billing import Billing
from fleet.domain.market import Market
from fleet.domain.request import FleetRequest
from fleet.domain.resolution import resolve
from fleet.errors import InputError
from fleet.hindsight import Hindsight
from fleet.interruptions import Interruptions
from fleet.replay_engine import PreparedMarket
from fleet.replayer.result import ReplayResult
from fleet.replayer.run import clairvoyant, replay_plan

__all__ = ["hindsight_optimum", "replay_hindsight"]


def hindsight_optimum(
    request: FleetRequest,
    market: Market,
    *,
    foresight: bool = True,
    start_s: int | None = None,
    end_s: int | None = None,
    product: str = "Linux/UNIX",
    interruptions: Interruptions = None,
    billing: str | Billing = "per-second",
    notice_s: int = 120,
    start_delay_s: int = 0,
) -> Hindsight:
    """Return the least that anybody could have paid to serve all of a request that could be served.

    Parameters
    ----------
    foresight
        Whether interruptions are known, so that the free first hour can be aimed at. Without it prices and
        capacity are known, and every second is paid for, whoever ends the instance.
    request, market, start_s, end_s, product, interruptions, billing, notice_s, start_delay_s
        As for `fleet.replay`.

    Returns
    -------
    Hindsight
        Its status says whether its cost is the optimum or a lower bound of it; see docs/hindsight.md.

    Raises
    ------
    InputError
        If something other than prices and capacity interrupts, or the request is not a maintain fleet.
    """
    prepared = PreparedMarket.of(resolve(request, market, product), interruptions)
    known = clairvoyant(prepared, start_s, end_s, billing, notice_s, start_delay_s, foresight=foresight)
    return known.full


def replay_hindsight(
    found: Hindsight,
    request: FleetRequest,
    market: Market,
    *,
    product: str = "Linux/UNIX",
    interruptions: Interruptions = None,
) -> ReplayResult:
    """Run the clairvoyant's plan through the engine, which interrupts and bills it like any other.

    Parameters
    ----------
    found
        What `hindsight_optimum` returned for this request and market.

    Raises
    ------
    InputError
        If no plan is known.
    """
    if found.plan is None:
        raise InputError("a hindsight bound without a plan", "cannot be replayed", "replay an optimum")
    prepared = PreparedMarket.of(resolve(request, market, product), interruptions)
    terms = found.terms
    return replay_plan(
        prepared,
        found.plan.launches(),
        name="hindsight",
        start_s=terms.begin_s,
        end_s=terms.end_s,
        billing=terms.billing,
        notice_s=terms.notice_s,
        start_delay_s=terms.start_delay_s,
    )
