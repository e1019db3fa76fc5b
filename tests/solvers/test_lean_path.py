"""A thousand pools from the command line wait for no library that their answer does not use."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = "{'scipy', 'pulp', 'matplotlib', 'numba', 'pandas', 'highspy'} & set(sys.modules)"


@pytest.fixture
def thousand_pools(tmp_path):
    """Write a request of 200 types and their prices in five zones."""
    families = [f"{letter}{generation}" for generation in range(1, 9) for letter in "cmrxz"]
    types = [
        f"{family}.{size}"
        for family in families
        for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge")
    ]
    rows = ["instance_type,availability_zone,product,price,timestamp"] + [
        f"{t},us-east-1{zone},Linux/UNIX,{0.02 + (37 * k + 11 * z) % 997 / 1000:.4f},2024-01-01T00:00:00Z"
        for k, t in enumerate(types)
        for z, zone in enumerate("abcde")
    ]
    (tmp_path / "prices.csv").write_text("\n".join(rows) + "\n")
    overrides = [{"InstanceType": t, "WeightedCapacity": 2.0 ** (k % 5)} for k, t in enumerate(types)]
    template = {
        "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "1"},
        "Overrides": overrides,
    }
    config = {
        "TargetCapacity": 2000, "AllocationStrategy": "lowestPrice", "IamFleetRole": "arn:aws:iam::1:role/r",
        "LaunchTemplateConfigs": [template],
    }  # fmt: skip
    (tmp_path / "fleet.json").write_text(json.dumps({"SpotFleetRequestConfig": config}))
    return tmp_path


@pytest.mark.parametrize("rounding", ["aws", "exact"])
@pytest.mark.parametrize("strategy", ["lowestPrice", "diversified"])
def test_a_thousand_pools_import_nothing_heavy(thousand_pools, rounding, strategy):
    arguments = ["allocate", "fleet.json", "--prices", "prices.csv", "--json", "--rounding", rounding]
    code = (
        "import sys, fleet.cli.app as a\n"
        f"sys.argv = ['spotfleet', *{[*arguments, '--strategy', strategy]!r}]\n"
        "try:\n    a.main()\nexcept SystemExit as e:\n    assert not e.code, e.code\n"
        f"heavy = {HEAVY}\nassert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=thousand_pools, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["fulfilled_capacity"] >= 2000
