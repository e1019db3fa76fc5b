"""Live data: what AWS says now, fetched into a local archive that outlives its 90 days."""

from fleet.io.live.archive import Archive, ArchiveEntry
from fleet.io.live.fetch import FetchReport, Needs, fetch, needs_of

__all__ = ["Archive", "ArchiveEntry", "FetchReport", "Needs", "fetch", "needs_of"]
