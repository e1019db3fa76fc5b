"""A folder ``strategies`` of the user's own breaks nothing, wherever Python finds it first."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

CODE = """
import pickle
import fleet, strategies
assert strategies.MINE == 42
plan = fleet.find_strategy("priceCapacityOptimized")
assert pickle.loads(pickle.dumps(plan)) == plan
print(plan.name)
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a package ``strategies`` that is not ours."""
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "__init__.py").write_text("MINE = 42\n")
    (tmp_path / "strategies" / "lowest_price.py").write_text("raise SystemExit('not this one')\n")
    (tmp_path / "mine.py").write_text(CODE)
    return tmp_path


@pytest.mark.parametrize("arguments", [["-c", CODE], ["mine.py"]], ids=["python -c", "script"])
def test_python_finds_both(folder, arguments):
    done = run(folder, *arguments)
    assert (done.returncode, done.stdout.split()) == (0, ["priceCapacityOptimized"]), done.stderr


def test_the_command_finds_ours(folder):
    code = "from fleet.cli import main; main()"
    done = run(folder, "-c", code, "demo", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["strategy"]


def run(folder, *arguments):
    """Run Python in the folder, with the folder first on its path."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"MPLCONFIGDIR": str(folder / "mpl")},
        capture_output=True,
        text=True,
        check=False,
    )
