"""``spotfleet cache``: what it writes is taken as --prices by every command."""

from __future__ import annotations


def test_every_command_takes_the_folder(shop):
    made = shop.run("cache", "--prices", "prices.csv", "--on-demand", "od.csv", "--out", "kept")
    assert made.status == 0
    assert made.out.startswith("kept: Market(3 pools")
    files, folder = ("--prices", "prices.csv", "--on-demand", "od.csv"), ("--prices", "kept")
    for command in ("allocate", "replay", "compare"):
        first, second = (shop.run(command, "fleet.json", *where, "--json") for where in (files, folder))
        assert first.status == second.status == 0
        assert first.json == second.json


def test_a_stale_folder_is_one_line_and_status_2(shop):
    shop.run("cache", "--prices", "prices.csv", "--out", "kept")
    with (shop.folder / "prices.csv").open("a") as stream:
        stream.write("us-x-1b,m5.large,Linux/UNIX,0.037,2021-05-02T00:00:00Z\n")
    answer = shop.run("allocate", "fleet.json", "--prices", "kept")
    assert answer.status == 2
    assert answer.err.count("\n") == 1
    assert "prices.csv has changed: must not be stale; write it again with `spotfleet cache`" in answer.err


def test_the_sources_are_not_overwritten(shop):
    assert shop.run("cache", "--prices", "prices.csv", "--out", "prices.csv").status == 2
    answer = shop.run("cache", "--prices", "prices.csv", "--out", ".")
    assert answer.status == 2
    assert "must be empty or a market" in answer.err
