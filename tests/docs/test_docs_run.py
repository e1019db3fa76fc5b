"""Every command and snippet in README, CONTRIBUTING and docs/ runs."""

from __future__ import annotations

import json
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


REAL_DATA = dict(
    re.findall(
        r"^```sh\n(.*?)^```\n\n(\|.*?\n)\n",
        (ROOT / "docs" / "real-data.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
)
"""From each command of that page to the table under it."""


def table(results):
    """Return the page's table of what ``compare --json`` printed."""
    lines = [
        "| strategy | cost $ | saving | $/unit-hour | interruptions | availability | pools | largest pool |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        lines.append(
            f"| `{r['strategy']}` | {r['cost']:,.2f} | {r['saving']:.2%} | {r['cost_per_unit_hour']:.5f} "
            f"| {r['interruptions']:,} | {r['availability']:.2%} | {r['pools_used']} "
            f"| {r['max_pool_share']:.2%} |"
        )
    return "".join(f"{line}\n" for line in lines)


def marks_of(code):
    """A block that takes long is deep."""
    return [pytest.mark.deep] if "every_set.py $SPOT_DATA v100-zones" in code else []


def blocks(language):
    return [
        pytest.param(match.group(2), id=f"{page.name}-{k}", marks=marks_of(match.group(2)))
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


AWS = """#!/bin/sh
[ "$1 $2" = "ec2 describe-spot-price-history" ] || exit 64
echo '{"SpotPriceHistory": [{"AvailabilityZone": "us-x-1a", "InstanceType": "m5.large",
  "ProductDescription": "Linux/UNIX", "SpotPrice": "0.035", "Timestamp": "2021-05-01T00:00:00+00:00"}]}'
"""


@pytest.fixture(scope="module")
def moto_environment():
    """Where boto3 finds a stand-in for AWS, and credentials that are none."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    yield {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.get_host_and_port()[1]}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    server.stop()


@pytest.mark.parametrize("code", blocks("sh"))
def test_shell(code, tmp_path, request):
    if "make " in code:
        # These set up the checkout in which this very test runs.
        goals = re.findall(r"^make ([a-z-]+)$", code, re.MULTILINE)
        makefile = (ROOT / "Makefile").read_text()
        assert goals
        assert all(re.search(rf"^{goal}:", makefile, re.MULTILINE) for goal in goals)
        return
    # No account is at hand: a stand-in for the AWS CLI answers in its form.
    (tmp_path / "aws").write_text(AWS)
    (tmp_path / "aws").chmod(0o755)
    paths = [str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {**os.environ, "PATH": os.pathsep.join(paths)}
    if "SPOT_DATA" in code:
        environment["SPOT_DATA"] = str(request.getfixturevalue("data_dir"))
    if "spotfleet fetch" in code:
        environment |= request.getfixturevalue("moto_environment")
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
    if code in REAL_DATA:
        printed = done.stdout if done.stdout.startswith("|") else table(json.loads(done.stdout))
        assert printed == REAL_DATA[code]


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if target.startswith("images/gallery/"):
                continue  # drawn by the build of the site: see test_site.py
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"
