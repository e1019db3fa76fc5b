"""Causes of interruptions as text: ``weibull:shape=0.6,scale_h=1.4``, ``zone=us-east-1a@TIME+30m``."""

from __future__ import annotations

import re
from dataclasses import fields

from fleet.domain.times import parse_time
from fleet.errors import InputError
from fleet.interruptions.launch_failures import LaunchFailures
from fleet.interruptions.lifetime_distributions import Bathtub, Exponential, LifetimeLaw, Weibull
from fleet.interruptions.shocks import Shocks
from fleet.interruptions.stress import MassLoss, Outage, PriceSpike

__all__ = ["named_numbers", "parse_failures", "parse_law", "parse_shocks", "parse_stress"]

LAWS: dict[str, type[Exponential | Weibull | Bathtub]] = {
    "exponential": Exponential,
    "weibull": Weibull,
    "bathtub": Bathtub,
}
STRESS = re.compile(
    r"(?P<kind>[a-z]+)=(?P<value>[^@:]+)(:(?P<by>[a-z]+)=(?P<label>[^@]+))?@(?P<time>.+?)"
    r"(\+(?P<length>\d+(\.\d+)?)(?P<unit>[smhd]))?"
)
UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_law(text: str) -> LifetimeLaw:
    """Return the law of lifetimes that a text states, such as ``exponential:rate_per_hour=0.01``."""
    name, _, rest = text.partition(":")
    if name not in LAWS:
        raise InputError(
            f"law {text!r}", f"is one of {', '.join(LAWS)}", "write weibull:shape=0.6,scale_h=1.4"
        )
    wanted = [field.name for field in fields(LAWS[name])]
    values = named_numbers(text, rest)
    if set(values) != set(wanted):
        raise InputError(f"law {text!r}", f"states {', '.join(wanted)}, no more and no less", "correct it")
    return LAWS[name](**values)


def parse_shocks(text: str) -> Shocks:
    """Return the shocks that a text states: ``zone:per_month=0.5`` or ``zone:per_month=0.5,share=0.3``."""
    by, _, rest = text.partition(":")
    values = named_numbers(text, rest)
    if not {"per_month"} <= set(values) <= {"per_month", "share"}:
        raise InputError(f"shocks {text!r}", "state per_month, and perhaps share", "write zone:per_month=0.5")
    return Shocks(by, **values)


def parse_failures(text: str) -> LaunchFailures:
    """Return the launch failures that a text states: ``share=0.05`` or ``share=0.05,retry=120``."""
    values = named_numbers(text, text)
    if not {"share"} <= set(values) <= {"share", "retry"}:
        raise InputError(
            f"launch failures {text!r}", "state share, and perhaps retry", "write share=0.05,retry=60"
        )
    retry = values.get("retry", 60.0)
    if not retry.is_integer():
        raise InputError(f"launch failures {text!r}", "are retried after whole seconds", "correct retry")
    return LaunchFailures(values["share"], int(retry))


def parse_stress(text: str) -> Outage | MassLoss | PriceSpike:
    """Return the scenario that a text states.

    ``zone=us-east-1a@TIME+30m``, ``pool=biggest@TIME+1h``, ``pool=m5.large/us-east-1a@TIME``,
    ``family=m5@TIME+2h``, ``loss=20@TIME+15m``, ``price=3@TIME+2h``, ``price=3:zone=us-east-1a@TIME+2h``.
    """
    found = STRESS.fullmatch(text)
    if found is None or (found["by"] and found["kind"] != "price"):
        raise InputError(
            f"stress {text!r}", "is WHAT=WHICH@TIME+LENGTH", "write zone=us-east-1a@2021-04-01T00:00:00Z+30m"
        )
    at_s = parse_time(found["time"])
    length_s = round(float(found["length"] or 0) * UNIT_S[found["unit"] or "s"])
    kind, value, label = found["kind"], found["value"], (found["label"] or "").replace("/", " ")
    if kind == "price":
        return PriceSpike(number(text, value), at_s, length_s, found["by"] or "all", label)
    if kind == "loss":
        if not value.isdecimal():
            raise InputError(f"stress {text!r}", "loses a whole number of instances", "write loss=20@...")
        return MassLoss(int(value), at_s, length_s)
    return Outage(kind, value.replace("/", " "), at_s, length_s)


def named_numbers(text: str, pairs: str) -> dict[str, float]:
    """Return the numbers of ``a=1,b=2``."""
    values: dict[str, float] = {}
    for pair in pairs.split(",") if pairs else ():
        name, found, value = pair.strip().partition("=")
        if not found:
            raise InputError(f"{text!r}: {pair!r}", "is NAME=NUMBER", "correct it")
        if name in values:
            raise InputError(f"{text!r}", f"states {name} twice", "drop one")
        values[name] = number(text, value)
    return values


def number(text: str, value: str) -> float:
    """Return a number, or refuse the text that it stands in."""
    try:
        return float(value)
    except ValueError:
        raise InputError(f"{text!r}: {value!r}", "is a number", "correct it") from None
