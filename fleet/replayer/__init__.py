"""The replay engine: a fleet request and a strategy through a market, into an event log."""

from fleet.replayer.run import replay

__all__ = ["replay"]
