"""``hindsight_optimum``: the least that anybody could have paid, and the clairvoyant's plan as a replay."""

from __future__ import annotations

from typing import Unpack

from fleet.domain.market import Market
from fleet.domain.request import FleetRequest
from fleet.errors import InputError
from fleet.hindsight import Hindsight
from fleet.replay_engine import ReplayKeywords, ReplaySettings
from fleet.replayer.result import ReplayResult
from fleet.replayer.run import clairvoyant, replay_plan

__all__ = ["hindsight_optimum", "replay_hindsight"]


def hindsight_optimum(
    request: FleetRequest,
    market: Market,
    *,
    settings: ReplaySettings | None = None,
    **keywords: Unpack[ReplayKeywords],
) -> Hindsight:
    """Return the least that anybody could have paid to serve all of a request that could be served.

    Parameters
    ----------
    request, market, settings, **keywords
        As for `fleet.replay`. ``foresight=False``: interruptions are not known beforehand, prices and
        capacity are.

    Returns
    -------
    Hindsight
        Its status says whether its cost is the optimum or a lower bound of it; see docs/hindsight.md.

    Raises
    ------
    InputError
        If something other than prices and capacity interrupts, or the request is not a maintain fleet.

    Examples
    --------
    >>> import fleet
    >>> found = fleet.hindsight_optimum(fleet.demo_request(), fleet.synthetic_market(seed=1))
    >>> found.cost > 0
    True
    """
    chosen = ReplaySettings.of(settings, keywords)
    return clairvoyant(chosen.prepare(request, market), chosen).full


def replay_hindsight(found: Hindsight, request: FleetRequest, market: Market) -> ReplayResult:
    """Run the clairvoyant's plan through the engine, which interrupts and bills it like any other.

    Parameters
    ----------
    found
        What `hindsight_optimum` returned for this request and market; its settings are used.

    Raises
    ------
    InputError
        If no plan is known.
    """
    if found.plan is None:
        raise InputError("a hindsight bound without a plan", "cannot be replayed", "replay an optimum")
    prepared = found.settings.prepare(request, market)
    return replay_plan(prepared, found.plan.launches(), found.settings, name="hindsight")
