"""Which versions run here: what a report of a fault needs to be looked into."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

__all__ = ["package_version", "show_versions"]

NEEDED = (
    "numpy",
    "scipy",
    "pulp",
    "highspy",
    "matplotlib",
    "msgspec",
    "plotly",
    "pyyaml",
    "typer",
    "rich",
)
OPTIONAL = ("numba", "boto3", "pyarrow", "zstandard", "distributed")


@cache
def package_version() -> str:
    """Return the installed version of spotfleet."""
    try:
        return version("spotfleet")
    except PackageNotFoundError:
        return "unknown"


def show_versions() -> str:
    """Return the versions of spotfleet, Python, the system and all packages that spotfleet can use.

    The text is for reports of faults; ``spotfleet --show-versions`` prints it. No package is imported for it,
    and nothing in it names the user, the machine or a folder.

    Returns
    -------
    str
        One line for each: the name, padded, and its version, or "not installed".

    Examples
    --------
    >>> import fleet
    >>> fleet.show_versions().splitlines()[0].split()[0]
    'spotfleet'
    """
    found = {
        "spotfleet": package_version(),
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count() or 'unknown'} processors",
    }
    for package in (*NEEDED, *OPTIONAL):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return "\n".join(f"{name:<14}{value}" for name, value in found.items())
