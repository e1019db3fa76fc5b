"""What ``import fleet`` offers, and what it does not load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fleet


def test_all_is_sorted_and_complete():
    assert fleet.__all__ == sorted(fleet.__all__)
    for name in fleet.__all__:
        assert getattr(fleet, name) is not None
    assert set(fleet.__all__) - {"__version__"} == set(fleet._HOME)
    assert dir(fleet) == sorted([*fleet.__all__, *fleet._ROOMS])
    assert len(fleet.__all__) <= 50


@pytest.mark.parametrize("room", fleet._ROOMS)
def test_each_room_says_what_is_public(room):
    module = getattr(fleet, room)
    assert module.__doc__
    assert sorted(module.__all__) == sorted(set(module.__all__))
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="cheapest"):
        _ = fleet.cheapest


def test_what_type_checkers_see_is_what_there_is():
    """The imports under TYPE_CHECKING name the same things from the same rooms."""
    tree = ast.parse(Path(fleet.__file__).read_text())
    block = next(n for n in tree.body if isinstance(n, ast.If))
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert [name for name, room in seen.items() if room == "fleet"] == list(fleet._ROOMS)
    assert {name: room for name, room in seen.items() if room != "fleet"} == fleet._HOME


@pytest.mark.parametrize("names", [["fleet"], ["fleet", "fleet.allocator", "fleet.replayer", "fleet.domain"]])
def test_importing_rooms_hides_no_function(names):
    functions = ("allocate", "replay", "compare", "explain", "frontier")
    code = f"import {', '.join(names)}\nassert all(callable(getattr(fleet, n)) for n in {functions})"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_import_is_light():
    code = (
        "import sys, fleet\n"
        "heavy = {'scipy', 'pulp', 'matplotlib', 'highspy', 'numba', 'pandas', 'typer', 'rich'}\n"
        "assert not heavy & set(sys.modules)\n"
        "fleet.synthetic_market; fleet.replay; fleet.compare; fleet.allocate; fleet.plots.plot_cost\n"
        "assert not heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
