"""From options to what is done to a fleet while it runs, and how EC2 warns it."""

from __future__ import annotations

from pathlib import Path

from fleet.domain.schedule import RebalanceSignals, Schedule
from fleet.errors import InputError
from fleet.io import read_schedule

__all__ = ["schedule_of", "signals_of"]

SIGNALS = {"ahead": "ahead_s", "missed": "missed", "false": "false_alarms_per_hour"}


def schedule_of(path: Path | None) -> Schedule | None:
    """Return the schedule in a file, if one is named."""
    return None if path is None else read_schedule(path)


def signals_of(texts: list[str] | None) -> RebalanceSignals | None:
    """Return what ``ahead=600,missed=0.1,false=0.01`` says, stated once; ``default`` for the defaults."""
    if not texts:
        return None
    if len(texts) > 1:
        raise InputError(f"--rebalance-signals {' and '.join(texts)}", "are stated once", "keep one")
    from fleet.interruptions.parsing import named_numbers

    (text,) = texts
    stated = {} if text == "default" else named_numbers(f"--rebalance-signals {text}", text)
    if not set(stated) <= set(SIGNALS):
        raise InputError(
            f"--rebalance-signals {text}",
            f"is default, or NAME=NUMBER of {', '.join(SIGNALS)}",
            "write ahead=600,missed=0.1,false=0.01",
        )
    return RebalanceSignals(**{SIGNALS[name]: value for name, value in stated.items()})
