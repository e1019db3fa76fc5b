"""The command ``spotfleet``: the only room that prints. typer and rich are imported here alone."""

from fleet.cli.app import main

__all__ = ["main"]
