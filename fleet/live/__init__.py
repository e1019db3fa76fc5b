"""Live data: what AWS says now, fetched into a local archive that outlives its 90 days."""

from fleet.live.archive import Archive, ArchiveEntry
from fleet.live.fetch import FetchReport, Needs, fetch, needs_of

__all__ = ["Archive", "ArchiveEntry", "FetchReport", "Needs", "fetch", "needs_of"]
