"""Every command that decides or replays leaves papers for others; what goes to standard output goes alone."""

import csv

import pytest

QUESTION = ("fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv")


@pytest.mark.parametrize(
    ("command", "rows", "said"),
    [
        (
            ("allocate",),
            1,
            "**Buy 5 m5.large in us-x-1a: $0.17 an hour, $124 a month, 65 % below on-demand; all of it is",
        ),
        (("replay",), 1, "**lowestPrice cost $"),
        (("experiment", "--workers", "1", "--strategy", "diversified"), 1, "**diversified is cheapest: $"),
    ],
)
def test_papers(shop, command, rows, said):
    papers = ("--report", "r.html", "--markdown", "-", "--csv", "c.csv", "--parquet", "p.parquet")
    name, *options = command
    answer = shop.run(name, *QUESTION, *options, *papers)
    assert answer.status == 0, answer.err
    assert answer.out.startswith(said)
    assert answer.out.endswith("</details>\n")
    page = (shop.folder / "r.html").read_text()
    assert f"<pre>spotfleet {' '.join([name, *QUESTION, *options])}</pre>" in page  # without where answers go
    assert len(list(csv.DictReader((shop.folder / "c.csv").read_text().splitlines()))) == rows
    assert (shop.folder / "p.parquet").read_bytes()[:4] == b"PAR1"


def test_papers_are_refused_before_any_work(shop):
    for option, path in (("--report", "r.txt"), ("--csv", "nowhere/c.csv"), ("--markdown", "fleet.json")):
        assert shop.run("allocate", *QUESTION, option, path).status == 2
    assert shop.run("replay", *QUESTION, "--csv", "prices.csv").status == 2
