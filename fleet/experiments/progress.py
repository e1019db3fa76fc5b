"""How far an experiment has come, and how long it will still take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["OnProgress", "Progress"]


@dataclass(frozen=True)
class Progress:
    """Runs done, of how many, since when.

    Parameters
    ----------
    done, total
        Runs, those that the store held already included.
    resumed
        Runs that the store held already.
    elapsed_s
        Since the first run was started.
    """

    done: int
    total: int
    resumed: int
    elapsed_s: float

    @property
    def left_s(self) -> float | None:
        """Seconds left at the pace so far; ``None`` before the first run is done."""
        new = self.done - self.resumed
        return self.elapsed_s / new * (self.total - self.done) if new else None


OnProgress = Callable[[Progress], None]
