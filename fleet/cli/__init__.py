"""The command ``spotfleet``: the only room that prints. typer and rich are imported here alone."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; Ctrl-C while it is still being imported ends as it does later."""
    try:
        from fleet.cli.app import main as run
    except KeyboardInterrupt:
        print("spotfleet: interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    run()
