"""``--help`` of every command: it ends with examples, and they run; headings; what shells complete."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from fleet.cli.app import COMMANDS, app
from fleet.cli.grouping import options_of
from fleet.cli.output import print_table
from fleet.io.live import Archive
from tests.helpers.shop import ON_DEMAND, Shop

COMMAND = typer.main.get_command(app).commands
HEADER = "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp"


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A folder with the files that the examples name."""
    shop = Shop(tmp_path_factory.mktemp("examples"))
    (shop.folder / "history").mkdir()
    rows = [
        f"us-x-1{zone},{kind},Linux/UNIX,{price + day / 1000:.3f},2021-05-{day:02}T00:00:00Z"
        for zone in "ab"
        for kind, price in (("m5.large", 0.03), ("m5.xlarge", 0.07))
        for day in range(1, 10)
    ]
    (shop.folder / "history" / "prices.csv").write_text("\n".join([HEADER, *rows]))
    (shop.folder / "od.csv").write_text(ON_DEMAND + "us-x-1b,m5.xlarge,0.192\n")
    (shop.folder / "traces").mkdir()
    for zone in "ab":
        trace = {"metadata": {"gap_seconds": 600}, "data": [1, 1, 1, 0, 1, 1] * 80}
        (shop.folder / "traces" / f"us-x-1{zone}_v100_1.json").write_text(json.dumps(trace))
    spot = {"LaunchSpecification": {"InstanceType": "m5.large", "Placement": {"AvailabilityZone": "us-x-1a"}}}
    (shop.folder / "spot.json").write_text(json.dumps(spot))
    Archive.open(shop.folder / "prices-archive", create=True)
    return shop


def examples():
    for name, command in COMMAND.items():
        for text in re.findall(r"`(.*?)`", command.epilog or "", re.DOTALL):
            yield pytest.param(shlex.split(text), id=name)


@pytest.mark.parametrize("words", list(examples()))
def test_the_examples_run(there, words):
    assert words[0] == "spotfleet"
    if words[1] == "fetch":  # needs AWS: tests/io/live runs it; here, that the options are what they were
        assert COMMAND["fetch"].make_context("fetch", words[2:]).params["profile"] == "my-profile"
        return
    if words[1] == "demo":
        words[words.index("--days") + 1] = "1"
        words = [*words, "--strategy", "lowestPrice"]
    answer = there.run(*words[1:])
    assert answer.status == 0, answer.err
    assert answer.out


def test_every_command_has_json_and_ends_with_an_example():
    assert set(COMMAND) == {command.__name__ for command in COMMANDS}
    for name, command in COMMAND.items():
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "80", "NO_COLOR": "1"}).output
        assert "--json" in {spelling for option in command.params for spelling in option.opts}
        tail = shown[shown.rindex("─╯") :]
        assert f"Example: spotfleet {name}" in tail
        assert all(option.help for option in command.params), name


def test_shared_options_stand_under_headings_and_are_alike():
    kinds = {}
    for command in COMMANDS:
        for option in options_of(command):
            kinds.setdefault(option.name, {})[command.__name__] = option.annotation
    for name in ("prices", "advisor", "notice", "schedule", "json_output"):
        assert len(set(map(repr, kinds[name].values()))) == 1, name
    assert {"replay", "compare", "experiment"} <= set(kinds["schedule"])
    shown = CliRunner().invoke(app, ["experiment", "--help"]).output
    places = [shown.index(f"─ {heading} ─") for heading in ("Options", "Market", "Interruptions", "The run")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("spotfleet allocate --strategy cap", {"capacityOptimized", "capacityOptimizedPrioritized"}),
        ("spotfleet allocate --export create", {"create-fleet="}),
        (
            "spotfleet allocate --fail-if cert",
            {"certificate.objective", "certificate.bound", "certificate.gap"},
        ),
        ("spotfleet compare --fail-if max", {"max_pool_share"}),
        ("spotfleet replay --billing h", {"hour-start", "hourly"}),
        ("spotfleet job --strategy ti", {"time-sliced"}),
        ("spotfleet service --policy sp", {"spot-hedge"}),
        ("spotfleet exp", {"experiment"}),
    ],
)
def test_a_shell_completes_names(line, known, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spotfleet.toml").write_text("no toml")  # what is wrong there must not answer the shell
    words = {"_SPOTFLEET_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    shown = CliRunner().invoke(app, [], env=words, prog_name="spotfleet").output
    assert set(shown.split()) == known


def test_completion_installs_into_a_shell(tmp_path):
    env = {**os.environ, "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    code = "import sys; sys.argv[0] = 'spotfleet'; from fleet.cli import main; main()"
    for option in ("--show-completion", "--install-completion"):
        command = [sys.executable, "-c", code, option, "bash"]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert "_SPOTFLEET_COMPLETE" in (tmp_path / ".bash_completions" / "spotfleet.sh").read_text()


def test_few_rows_are_turned_where_the_terminal_is_narrow():
    rows = [("strategy", *(f"measure {k}" for k in range(9))), ("lowestPrice", *"123456789")]
    wide, narrow = (Console(width=width, file=io.StringIO()) for width in (200, 60))
    for console in (wide, narrow):
        print_table(console, rows, "title")
    assert len(wide.file.getvalue().splitlines()) == 6
    assert "…" not in narrow.file.getvalue()
    assert re.search(r"measure 8\s+│\s+9", narrow.file.getvalue())


def test_a_grouped_option_reaches_the_run(shop):
    """The schedule, which experiment had not, is not lost on the way through its dataclass."""
    schedule = {"Changes": [{"At": "2021-05-01T06:00:00Z", "TargetCapacity": 20}]}
    (shop.folder / "s.json").write_text(json.dumps(schedule))
    arguments = ("experiment", "fleet.json", "--prices", "prices.csv", "--workers", "1", "--json")
    costs = [
        shop.run(*arguments, "--strategy", "lowestPrice", *more).json["strategies"][0]["cost"]["mean"]
        for more in ((), ("--schedule", "s.json"))
    ]
    assert costs[1] > 1.5 * costs[0]
