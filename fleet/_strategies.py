"""The files of the top-level folder ``strategies/`` under a name that nobody else has.

A user may have a folder ``strategies`` of his own, in the current folder or beside his script, and Python
would import that one. The strategies that come with spotfleet are therefore loaded, and pickled for other
processes, as ``fleet._strategies.lowest_price`` and so on. Nothing else in ``fleet`` imports them (see
`find_strategy`).
"""

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parent.parent / "strategies")]
