"""Every command and snippet in README, CONTRIBUTING and docs/ runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILES = {
    "fleet.json": '{"TargetCapacity": 4, "LaunchSpecifications": [{"InstanceType": "m5.large"}]}',
    "history.csv": (
        "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp\n"
        "us-x-1a,m5.large,Linux/UNIX,0.035,2021-05-01T00:00:00Z\nus-x-1b,m5.large,Linux/UNIX,0.04,2021-05-01T00:00:00Z\n"
        "us-x-1a,m5.large,Linux/UNIX,0.03,2021-05-01T09:00:00Z\n"
    ),
    "on-demand.csv": "az,type,linux_ondemand_usd\nus-x-1a,m5.large,0.096\nus-x-1b,m5.large,0.096\n",
    "capacity.csv": "instance_type,availability_zone,available\nm5.large,us-x-1a,9\nm5.large,us-x-1b,20\n",
}


def blocks(language):
    return [
        pytest.param(match.group(2), id=f"{page.name}-{k}")
        for page in PAGES
        for k, match in enumerate(BLOCK.finditer(page.read_text()))
        if match.group(1) == language
    ]


@pytest.mark.parametrize("code", blocks("python"))
def test_python(code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", blocks("sh"))
def test_shell(code, tmp_path, request):
    if "make " in code:
        # These set up the checkout in which this very test runs.
        goals = re.findall(r"^make ([a-z-]+)$", code, re.MULTILINE)
        makefile = (ROOT / "Makefile").read_text()
        assert goals
        assert all(re.search(rf"^{goal}:", makefile, re.MULTILINE) for goal in goals)
        return
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if "SPOT_DATA" in code:
        environment["SPOT_DATA"] = str(request.getfixturevalue("data_dir"))
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"
