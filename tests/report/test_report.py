"""The page stands alone and shows its figures in a browser; Markdown and tables say what the JSON says."""

import csv
import io
import json
import re
import shutil
import subprocess

import pyarrow.parquet as pq
import pytest

import fleet
from fleet.report import comparison_csv, comparison_markdown, comparison_page, comparison_parquet
from fleet.report.charts import charts
from fleet.report.wording import decision

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def comparison():
    return fleet.compare(fleet.demo_request(), fleet.synthetic_market(7, days=4), start_delay_s=180)


@pytest.fixture(scope="module")
def page(comparison):
    return comparison_page(comparison, command="spotfleet compare fleet.json --prices '<prices>'")


def test_the_decision_comes_first(comparison, page):
    answer = decision(comparison.results)[0]
    cheapest = min(comparison.results, key=lambda run: run.cost)
    assert answer.startswith(f"{cheapest.strategy} costs least: $")
    assert page.index(f"<h1>{answer}") < page.index('class="chart"') < page.index("<table>")
    assert "&lt;prices&gt;" in page  # the command is shown, never taken for markup
    for name in ("Numbers", "Proxies, gaps and assumptions", "How to reproduce it"):
        assert f"<h2>{name}</h2>" in page


def test_nothing_is_linked_from_elsewhere(page):
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]+"', markup)
    assert "<script src=" not in page


def test_every_figure_has_a_title_a_caption_and_finite_numbers(comparison):
    drawn = charts(comparison.results)
    assert [title for title, *_ in drawn] == [
        "Cost",
        "Cost against interruptions",
        "Capacity",
        "Interruptions",
        "Pools",
    ]
    for _, caption, figure in drawn:
        assert caption
        json.dumps(figure, allow_nan=False)
    cost = {trace["name"]: trace["y"][-1] for trace in drawn[0][2]["data"]}
    for result in comparison.results:
        assert cost[result.strategy] == pytest.approx(result.cost, abs=1e-3)
    looks = [(t["line"]["dash"], t["line"]["color"]) for t in drawn[0][2]["data"]]
    assert len({dash for dash, _ in looks[1:]}) == len(comparison.results)  # told apart without colour


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
    assert "CONSOLE" not in done.stderr
    fetched = re.findall(r'"url":"(https?://[^"]+)"', (tmp_path / "net.json").read_text())
    assert not [
        url for url in fetched if "google" not in url
    ]  # the browser's own calls home are not the page's


def test_markdown_has_the_decision_and_a_row_a_strategy(comparison):
    text = comparison_markdown(comparison)
    assert text.startswith("**")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(comparison.results)
    assert len({row.count(" | ") for row in rows}) == 1


def test_tables_say_what_the_json_says(comparison):
    rows = list(csv.DictReader(io.StringIO(comparison_csv(comparison))))
    again = pq.read_table(io.BytesIO(comparison_parquet(comparison))).to_pylist()
    for row, same, result in zip(rows, again, comparison.to_dict(), strict=True):
        assert float(row["cost"]) == same["cost"] == result["cost"]
        assert row["strategy"] == result["strategy"]
    assert again[0]["hindsight_cost"] == comparison.to_dict()[0]["hindsight_cost"]


def test_one_result_makes_a_page_too(comparison):
    alone = fleet.Comparison(comparison.results[:1])
    assert "also interrupted least" in comparison_page(alone)
