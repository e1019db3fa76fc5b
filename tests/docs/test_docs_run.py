"""Every command and snippet in README and docs/ runs, and prints what is shown as its output."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

import fleet
from fleet.cli.app import app
from fleet.replayer.result import CONTRACT
from tests.helpers.in_process import run_spotfleet

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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
    long = ("every_set.py $SPOT_DATA v100-zones", "--on-demand-price 3.06 --every 100\n")
    return [pytest.mark.deep] if any(words in code for words in long) else []


def blocks(language):
    return [
        pytest.param(match.group(2), id=f"{page.name}-{k}", marks=marks_of(match.group(2)))
        for page in PAGES
        for k, match in enumerate(BLOCK.finditer(page.read_text()))
        if match.group(1) == language
    ]


def shown_after(code):
    """Return the lines that a page shows as printed by a command: its text blocks before the next command."""
    for page in PAGES:
        _, found, after = page.read_text().partition(f"```sh\n{code}```\n")
        if found:
            own = re.split(r"^```(?!text)\w+$", after, maxsplit=1, flags=re.MULTILINE)[0]
            return [line for block in SHOWN.findall(own) for line in block.splitlines() if line.strip()]
    return []


def test_every_block_is_run_or_read():
    """A language that no test here knows would be a snippet that nobody runs."""
    known = {"sh", "python", "text", "json", "toml", "math", ""}
    for page in PAGES:
        text = page.read_text()
        assert {match.group(1) for match in BLOCK.finditer(text)} <= known, page.name
        assert not re.search(r"^[ \t]+```", text, re.MULTILINE), f"{page.name}: an indented block is not run"


def test_files_that_are_shown_are_read(tmp_path):
    """Terms of a bill, schedules, and the defaults of a folder."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    known = ("replay", "fleet.json", "--prices", "history.csv", "--on-demand", "on-demand.csv", "--json")
    for code in (block.values[0] for block in blocks("json")):
        (tmp_path / "shown.json").write_text(code)
        document = json.loads(code)
        if "LaunchTemplateConfigs" in document:
            assert fleet.read_request(tmp_path / "shown.json").target_capacity == 16
            continue
        option = "--schedule" if "Changes" in document else "--billing"
        answer = run_spotfleet(*known, option, "shown.json", folder=tmp_path)
        assert answer.status == 0, answer.err
    for code in (block.values[0] for block in blocks("toml")):
        (tmp_path / "spotfleet.toml").write_text(code)
        answer = run_spotfleet("compare", "fleet.json", "--json", folder=tmp_path)
        assert answer.status == 0, answer.err
        wanted = tomllib.loads(code)["compare"]["strategy"]
        assert [entry["strategy"] for entry in answer.json] == wanted
    allocated, replayed = (re.findall(r'"(\w+)"', block.values[0]) for block in blocks("")[-2:])
    answer = run_spotfleet("allocate", *known[1:], folder=tmp_path)
    assert list(answer.json) == [name for name in dict.fromkeys(allocated) if name in answer.json]
    assert all(f'"{name}"' in answer.out for name in allocated if name not in ("reason",))
    assert tuple(replayed) == CONTRACT


@pytest.mark.parametrize("code", blocks("python"))
def test_python(code, tmp_path):
    (tmp_path / "snippet.py").write_text(code)
    with contextlib.chdir(tmp_path), contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path("snippet.py", run_name="__main__")


AWS = f"""#!/bin/sh
case "$1 $2" in
"ec2 describe-spot-price-history")
  echo '{{"SpotPriceHistory": [{{"AvailabilityZone": "us-x-1a", "InstanceType": "m5.large",
    "ProductDescription": "Linux/UNIX",
    "SpotPrice": "0.035", "Timestamp": "2021-05-01T00:00:00+00:00"}}]}}' ;;
"ec2 create-fleet") exec {sys.executable} "$(dirname "$0")/check.py" "$@" ;;
*) exit 64 ;;
esac
"""
CHECK = """
import json, sys
import botocore.loaders, botocore.model, botocore.validate

_, service, operation, flag, file, *rest = sys.argv
assert flag == "--cli-input-json" and file.startswith("file://") and rest == [], sys.argv
model = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ec2", "service-2"))
shape = model.operation_model("CreateFleet").input_shape
asked = json.load(open(file.removeprefix("file://")))
report = botocore.validate.ParamValidator().validate(asked, shape)
assert isinstance(asked, dict) and not report.has_errors(), report.generate_report()
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
    (tmp_path / "check.py").write_text(CHECK)  # what aws checks before it asks EC2
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
    printed = {" ".join(line.split()) for line in (done.stdout + done.stderr).splitlines()}
    for line in shown_after(code):
        assert " ".join(line.split()) in printed, line
    if code in REAL_DATA:
        rows = done.stdout if done.stdout.startswith("|") else table(json.loads(done.stdout))
        assert rows == REAL_DATA[code]


ELSEWHERE = {
    "--cli-input-json", "--output", "--product-descriptions", "--spot-fleet-request-config", "--start-time",
    "--help", "--install-completion", "--show-completion", "--show-versions", "--version",
}  # fmt: skip
"""Options of the AWS CLI, and of all commands alike."""


def test_options_that_the_pages_name_are_those_that_there_are():
    commands = typer.main.get_command(app).commands.values()
    parameters = [parameter for command in commands for parameter in command.params]
    exist = {o for p in parameters for o in (*p.opts, *p.secondary_opts) if o.startswith("--")}
    named = {o for page in PAGES for o in re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text())}
    assert named - ELSEWHERE <= exist
    assert exist <= named, "an option that no page explains"


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if target.startswith("images/gallery/"):
                continue  # drawn by the build of the site: see test_site.py
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"
