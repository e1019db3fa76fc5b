"""From options to what is done to a fleet while it runs, and how EC2 warns it."""

from __future__ import annotations

from pathlib import Path

from fleet.errors import InputError
from fleet.formats import read_schedule
from fleet.schedule import RebalanceSignals, Schedule

__all__ = ["schedule_of", "signals_of"]

SIGNALS = {"ahead": "ahead_s", "missed": "missed", "false": "false_alarms_per_hour"}


def schedule_of(path: Path | None) -> Schedule | None:
    """Return the schedule in a file, if one is named."""
    return None if path is None else read_schedule(path)


def signals_of(text: str | None) -> RebalanceSignals | None:
    """Return what ``ahead=600,missed=0.1,false=0.01`` says; ``default`` for the defaults."""
    if text is None:
        return None
    stated: dict[str, float] = {}
    for part in text.split(",") if text != "default" else []:
        name, _, value = part.partition("=")
        try:
            stated[SIGNALS[name.strip()]] = float(value)
        except (KeyError, ValueError):
            raise InputError(
                f"--rebalance-signals {text!r}",
                f"is default, or NAME=NUMBER of {', '.join(SIGNALS)}",
                "write ahead=600,missed=0.1,false=0.01",
            ) from None
    return RebalanceSignals(**stated)
