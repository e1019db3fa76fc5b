"""A strategy that takes its process down with it, once."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import fleet


@dataclass(frozen=True)
class Deadly:
    """Kill the process that decides at ``at_s`` or later, unless somebody has done so before.

    Parameters
    ----------
    folder
        Where the mark of the deed is left.
    times
        How many processes die.
    """

    folder: str
    at_s: int = 0
    times: int = 1

    @property
    def name(self) -> str:
        return "deadly"

    def plan(self, view: fleet.View) -> fleet.Plan:
        if view.snapshot.time_s >= self.at_s:
            for k in range(self.times):
                mark = Path(self.folder) / f"killed-{k}"
                try:
                    mark.touch(exist_ok=False)
                except FileExistsError:
                    continue
                mark.write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)
        return fleet.Plan((fleet.Linear("cost_per_hour", view.spot_price),))
