"""The page stands alone and shows its figures in a browser; Markdown and tables say what the JSON says."""

import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow.parquet as pq
import pytest

import fleet
from fleet.plots import headline
from fleet.report import build_report, csv_of, markdown_of, page_of, parquet_of
from fleet.report.page import POLICY, shown
from fleet.report.run_charts import run_charts
from fleet.report.runs import decision

ZONE = fleet.LaunchPools.of(["x.large"]).availability_zone[0]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def comparison():
    return fleet.compare(fleet.demo_request(), fleet.synthetic_market(7, days=4), start_delay_s=180)


@pytest.fixture(scope="module")
def paper(comparison):
    return build_report(comparison)


@pytest.fixture(scope="module")
def page(paper):
    return page_of(paper, command="spotfleet compare fleet.json --prices '<prices>'")


@pytest.fixture(scope="module")
def plan():
    names = [f"m{k}.large" for k in range(600)]
    pools = fleet.LaunchPools.of(names, on_demand_price=[1.0 + k / 600 for k in range(600)])
    snapshot = fleet.Snapshot.of(pools, [0.3 + k / 1000 for k in range(600)])
    request = fleet.FleetRequest(
        500, tuple(fleet.Override(name) for name in names), on_demand_target_capacity=20
    )
    return fleet.allocate(request, snapshot, strategy="diversified")


@pytest.fixture(scope="module")
def study():
    market, windows = fleet.synthetic_market(7, days=1), fleet.experiments.Windows(43200, 43200)
    return fleet.replay_many(fleet.demo_request(), market, windows=windows, null=2, workers=1)


def test_the_decision_comes_first(comparison, page):
    answer = decision(comparison.results)[0]
    cheapest = min(comparison.results, key=lambda run: run.cost)
    assert answer.startswith(f"{cheapest.strategy} costs least: $")
    assert page.index(f"<h1>{shown(answer)}") < page.index('class="chart"') < page.index("<table")
    assert "&lt;prices&gt;" in page  # the command is shown, never taken for markup
    assert f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">' in page
    assert "default-src 'none'" in POLICY
    for name in ("Numbers", "Proxies, gaps and assumptions", "How to reproduce it"):
        assert f"<h2>{name}</h2>" in page


def test_what_served_less_is_not_the_cheapest(comparison):
    one, two, *_ = comparison.results
    idle = replace(one, strategy="idle", cost=0.01, mean_fill=0.4, availability=0.1)
    text = decision([idle, two])
    assert text[0].startswith(f"{two.strategy} costs least")
    assert "idle cost only $0.01, but served 40.00 % of the target." in text
    assert headline([idle, two]).startswith(two.strategy)


def test_nothing_is_linked_from_elsewhere(page):
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]+"', markup)
    assert "<script src=" not in page


def test_every_figure_has_a_title_a_caption_and_finite_numbers(comparison, paper, plan, study):
    titles = [
        (paper, ["Cost", "Cost against interruptions", "Capacity", "Interruptions", "Pools"]),
        (build_report(comparison.results[0]), ["Cost", "Capacity", "Interruptions", "Pools"]),
        (build_report(plan), ["Cost", "Risk", "All pools"]),
        (build_report(study), ["Cost", "Regret", "Risk", "Among random strategies"]),
    ]
    for told, wanted in titles:
        assert [chart.title for chart in told.charts] == wanted
        assert all(chart.caption for chart in told.charts)
        json.dumps([chart.figure for chart in told.charts], allow_nan=False)
    lines = paper.charts[0].figure["data"]
    cost = {trace["name"]: trace["y"][-1] for trace in lines}
    for result in comparison.results:
        assert cost[result.strategy] == pytest.approx(result.cost, abs=1e-3)
    against = run_charts([replace(run, cost=1.0) for run in comparison.results])[1].figure["layout"]
    low, high = against["yaxis"]["range"]
    heights = sorted(name["y"] for name in against["annotations"])
    assert min(np.diff(heights)) >= 0.08 * (high - low)  # of equal costs each keeps a name that can be read
    assert len({trace["line"]["dash"] for trace in lines[1:]}) == len(comparison.results)  # without colour


def test_a_plan_of_many_pools_stays_readable(plan):
    told = build_report(plan)
    assert re.match(
        r"Buy 500 instances of \d+ types in zone-a, 20 of them on demand: \$279 an hour, .* a month, 60 %",
        told.decision[0],
    )
    assert "Losing its largest Spot pool, " in told.decision[1]
    assert len(told.charts[0].figure["layout"]["yaxis"]["categoryarray"]) <= 25
    risk = told.charts[1].figure["data"]
    assert risk[0]["x"] == [100.0]  # the one zone holds the whole fleet, its on-demand part too
    text = markdown_of(told)
    assert len(text) < 8000
    assert "rows more" in text
    rows = list(csv.DictReader(io.StringIO(csv_of(told))))
    assert sum(int(row["instances"]) for row in rows) == 500
    assert [t.title for t in told.tables if t.folded] == ["Why: all 600 pools"]


def test_a_plan_that_falls_short_and_one_of_nothing(plan):
    pools = fleet.LaunchPools.of(["a.large", "b.large"], on_demand_price=[1.0, float("nan")])
    request = fleet.FleetRequest(9, (fleet.Override("a.large"), fleet.Override("b.large")))
    short = build_report(fleet.allocate(request, fleet.Snapshot.of(pools, [0.3, 0.4], available=[2, 3])))
    assert short.decision[0] == (
        f"Only 5 of 9 units can be had: buy 2 a.large in {ZONE} and 3 b.large in {ZONE}: $1.8 an hour, "
        "$1,314 a month; losing the largest pool takes 60 %."
    )
    assert short.decision[1].startswith("Only 5 of 9 units can be had; what holds it back: ")
    assert short.cards[0].lines == ("saving not known: an on-demand price is missing",)
    nothing = build_report(fleet.allocate(request, fleet.Snapshot.of(pools, [float("nan")] * 2)))
    assert nothing.decision[0] == "Buy nothing: no pool can be bought."
    page_of(nothing)


def test_hostile_names_stay_names(comparison):
    evil = "</script><!--<script>alert(1)</script>\"'|@all [x](http://e)%{y}"
    runs = [replace(run, strategy=f"{evil}{k}") for k, run in enumerate(comparison.results)]
    told = build_report(fleet.Comparison(tuple(runs)))
    page = page_of(told, command=evil)
    assert page.count("<script") - page_of(build_report(comparison)).count("<script") == 0
    assert "alert(1)</script>" not in page
    (data,) = re.findall(r'id="figures">(.*?)</script>', page, flags=re.DOTALL)
    assert "<" not in data
    assert "&lt;script&gt;" in json.loads(data)[0]["data"][-1]["name"]
    text = markdown_of(told)
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "@all" not in text
    assert (
        len({line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("| ")}) == 1
    )


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine to open the page with")
def test_in_a_browser(page, tmp_path):
    (tmp_path / "page.html").write_text(page)
    done = subprocess.run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--no-first-run",
            f"--user-data-dir={tmp_path}/profile",
            f"--log-net-log={tmp_path}/net.json", "--enable-logging=stderr", "--virtual-time-budget=8000",
            "--dump-dom", (tmp_path / "page.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.count('class="main-svg"') >= 5
    assert 'data-title="Zoom in"' in done.stdout
    assert "Share chart" not in re.sub(r"<script.*?</script>", "", done.stdout, flags=re.DOTALL)
    assert "CONSOLE" not in done.stderr
    fetched = re.findall(r'"url":"(https?://[^"]+)"', (tmp_path / "net.json").read_text())
    assert not [
        url for url in fetched if "google" not in url
    ]  # the browser's own calls home are not the page's


def test_markdown_has_the_decision_and_a_row_a_strategy(comparison, paper):
    text = markdown_of(paper)
    assert text.startswith("**")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(comparison.results)
    assert len({row.count(" | ") for row in rows}) == 1


def test_tables_say_what_the_json_says(comparison, paper):
    rows = list(csv.DictReader(io.StringIO(csv_of(paper))))
    table = pq.read_table(io.BytesIO(parquet_of(paper)))
    for row, same, result in zip(rows, table.to_pylist(), comparison.to_dict(), strict=True):
        assert float(row["cost"]) == same["cost"] == result["cost"]
        assert row["strategy"] == result["strategy"]
        assert same["start"] == datetime.fromisoformat(result["start"])
        for name, metric in result["metrics"].items():
            known = metric["value"] is not None
            assert (
                (float(row[f"metrics.{name}"]) if known else None)
                == same[f"metrics.{name}"]
                == metric["value"]
            )
    assert table.schema.field("metrics.churn").metadata == {b"unit": b"units"}
    assert {str(field.type) for field in table.schema} <= {
        "string", "double", "int64", "timestamp[s, tz=UTC]", "timestamp[ms, tz=UTC]"
    }  # fmt: skip


def test_one_result_makes_a_page_too(comparison):
    page = page_of(build_report(comparison.results[0]))
    assert f"<h1>{comparison.results[0].strategy} cost $" in page
    assert "<details><summary><h2>All metrics</h2>" in page


def test_an_experiment_says_how_sure_it_is(study):
    told = build_report(study)
    assert "a run" in told.decision[0]
    assert "below on-demand" in told.decision[0]
    assert "random strategies" in " ".join(told.decision)
    assert {row["strategy"] for row in csv.DictReader(io.StringIO(csv_of(told)))} == set(study.strategies)
    assert "<noscript><svg" in page_of(told)


def test_the_loss_of_a_zone_takes_its_on_demand_instances():
    """Twelve on demand and eight on Spot in zone a, five on Spot in b: 80 % of the units are in a."""
    pools = fleet.LaunchPools.of(["m5.large"] * 2, ["us-x-1a", "us-x-1b"], on_demand_price=[0.09, 0.1])
    snapshot = fleet.Snapshot.of(pools, [0.03, 0.04], [8.0, 9.0])
    request = fleet.FleetRequest(25, (fleet.Override("m5.large"),), on_demand_target_capacity=12)
    text = " ".join(build_report(fleet.allocate(request, snapshot)).decision)
    assert "Losing its largest Spot pool, m5.large us-x-1a, takes 32.00 % of the units" in text
    assert "losing us-x-1a, its on-demand instances too, takes 80.00 %." in text


def test_a_plan_beside_what_runs_counts_it_as_risk_and_says_what_ends():
    pools = fleet.LaunchPools.of(["m5.large", "c5.large"], on_demand_price=0.096)
    snapshot = fleet.Snapshot.of(pools, [0.03, 0.04])
    request = fleet.FleetRequest(
        10, tuple(fleet.Override(kind) for kind in pools.instance_type), on_demand_target_capacity=2
    )
    beside = fleet.allocate(request, snapshot, running=[0, 6])
    assert beside.max_pool_share == 0.6
    text = " ".join(build_report(beside).decision)
    assert "It joins 6 instances already running, whose cost is not counted." in text
    assert "Losing its largest Spot pool, c5.large" in text
    assert "takes 60.00 % of the units" in text
    above = " ".join(build_report(fleet.allocate(request, snapshot, running=[20, 0])).decision)
    assert "End 12 instances: the fleet is above its target." in above
    assert "all is on demand" not in above
