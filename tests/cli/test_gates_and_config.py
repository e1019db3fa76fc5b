"""--fail-if, spotfleet.toml, - for standard input and output: pipelines and defaults."""

import pytest

import fleet
from fleet.cli.gates import check_gates, gates_of

ALLOCATE = ("allocate", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv")
COMPARE = ("compare", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv")


@pytest.mark.parametrize(
    ("gate", "fails"),
    [
        ("cost > 100", False),
        ("cost>5", True),
        ("cost >= 5.5", True),
        ("share > 40%", True),
        ("share > 50 %", False),
        ("deep.er < 1", False),
        ("deep.er == 2", True),
        ("missing > 1", True),  # not known: a gate never passes by not knowing
    ],
)
def test_gates(gate, fails):
    document = {"strategy": "lowestPrice", "cost": 5.5, "share": 0.45, "deep": {"er": 2}, "missing": None}
    gates = gates_of([gate])
    if fails:
        with pytest.raises(fleet.FleetError, match="lowestPrice"):
            check_gates(gates, [document])
    else:
        check_gates(gates, [document])


@pytest.mark.parametrize("gate", ["cost", "cost > much", "cost => 3", "> 3", "cost > 1.2.3"])
def test_a_gate_that_is_none_is_refused(gate):
    with pytest.raises(fleet.InputError, match="NAME SIGN NUMBER"):
        gates_of([gate])


def test_a_gate_ends_in_1_and_the_answer_is_printed(shop):
    answer = shop.run(*COMPARE, "--json", "--fail-if", "cost > 0.01")
    assert answer.status == 1
    assert answer.json[0]["strategy"] == "lowestPrice"
    assert "lowestPrice: cost is" in answer.err
    assert shop.run(*COMPARE, "--fail-if", "cost > 1000", "--fail-if", "max_pool_share > 100%").status == 0
    assert shop.run(*ALLOCATE, "--fail-if", "cost_per_hour > 0.01").status == 1
    unknown = shop.run(*ALLOCATE, "--fail-if", "costs > 1")
    assert unknown.status == 2
    assert "cost_per_hour" in unknown.err


def test_defaults_of_the_folder(shop):
    (shop.folder / "spotfleet.toml").write_text(
        '[defaults]\nprices = "prices.csv"\non-demand = "od.csv"\n'
        '[compare]\nstrategy = "diversified"\njson = true\n'
    )
    answer = shop.run("compare", "fleet.json")
    assert [entry["strategy"] for entry in answer.json] == ["diversified"]
    assert answer.json[0]["on_demand_cost"] is not None
    over = shop.run("compare", "fleet.json", "--strategy", "lowestPrice")
    assert [entry["strategy"] for entry in over.json] == ["lowestPrice"]
    assert shop.run("allocate", "fleet.json").status == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[compare\n", "is not TOML"),
        ("[comparison]\nseed = 1\n", "a command"),
        ("[compare]\nseeds = 1\n", "no such option"),
        ("[defaults]\ncolour = 1\n", "no such option"),
    ],
)
def test_a_wrong_file_is_one_clear_error(shop, text, message):
    (shop.folder / "spotfleet.toml").write_text(text)
    answer = shop.run("compare", "fleet.json", "--prices", "prices.csv")
    assert answer.status == 2
    assert message in answer.err


def test_pipes(shop):
    prices = (shop.folder / "prices.csv").read_text()
    answer = shop.run("allocate", "fleet.json", "--prices", "-", "--export", "create-fleet=-", stdin=prices)
    assert answer.status == 0
    assert answer.json["TargetCapacitySpecification"]["TotalTargetCapacity"] == 10
    comment = shop.run(*COMPARE, "--markdown", "-")
    assert comment.out.startswith("**")
    assert "│" not in comment.out  # the comment alone, no table for people
    events = shop.run(
        "replay", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv", "--events", "-"
    )
    assert all(line.startswith("{") for line in events.out.splitlines())
