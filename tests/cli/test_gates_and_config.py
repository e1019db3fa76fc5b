"""--fail-if, spotfleet.toml, - for standard input and output: pipelines and defaults."""

import gzip

import pytest

import fleet
from fleet.cli import answers
from fleet.cli.gates import check_gates, gates_of

ALLOCATE = ("allocate", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv")
COMPARE = ("compare", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv")


@pytest.mark.parametrize(
    ("gate", "fails"),
    [
        ("cost > 100", False),
        ("cost>5", True),
        ("cost >= 5.5", True),
        ("availability > 40%", True),
        ("availability > 50 %", False),
        ("deep.er < 1", False),
        ("deep.er == 2", True),
        ("metrics.outages > 2", True),
        ("metrics.outages.value > 3", False),
        ("missing > 1", True),  # not known: a gate never passes by not knowing
    ],
)
def test_gates(gate, fails):
    document = {
        "strategy": "lowestPrice",
        "cost": 5.5,
        "availability": 0.45,
        "deep": {"er": 2},
        "missing": None,
    }
    document["metrics"] = {"outages": {"value": 3.0, "unit": "count"}}
    gates = gates_of([gate], ["cost", "availability", "deep.er", "missing", "metrics.outages"])
    if fails:
        with pytest.raises(fleet.FleetError, match="lowestPrice"):
            check_gates(gates, [document])
    else:
        check_gates(gates, [document])


@pytest.mark.parametrize("gate", ["cost", "cost > much", "cost => 3", "> 3", "cost > 1.2.3", "cost > 1e999"])
def test_a_gate_that_is_none_is_refused(gate):
    with pytest.raises(fleet.InputError, match="NAME SIGN NUMBER"):
        gates_of([gate], ["cost"])


def test_a_gate_ends_in_1_and_the_answer_is_printed(shop):
    answer = shop.run(*COMPARE, "--json", "--fail-if", "cost > 0.01")
    assert answer.status == 1
    assert answer.json[0]["strategy"] == "lowestPrice"
    assert "lowestPrice: cost is" in answer.err
    assert shop.run(*COMPARE, "--fail-if", "cost > 1000", "--fail-if", "max_pool_share > 100%").status == 0
    assert shop.run(*ALLOCATE, "--fail-if", "cost_per_hour > 0.01").status == 1
    both = shop.run(*ALLOCATE, "--fail-if", "cost_per_hour > 0.01", "--fail-if", "certificate.gap < 1%")
    assert "cost_per_hour is 0.17 (fail if cost_per_hour > 0.01); " in both.err
    assert "certificate.gap is 0" in both.err
    assert "max_pool_share is 1 (" in shop.run(*ALLOCATE, "--fail-if", "max_pool_share > 40%").err


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("costs > 1", "did you mean cost"),
        ("Max_Pool_Share > 0.4", "did you mean max_pool_share"),
        ("metrics.outage > 1", "did you mean metrics.outages"),
        ("strategy > 1", "there is no strategy"),
        ("cost > 40%", "cost is no share"),
    ],
)
def test_a_gate_on_no_number_is_refused_before_any_work(shop, gate, words):
    answer = shop.run(
        "replay", "fleet.json", "--prices", "prices.csv", "--events", "e.jsonl", "--fail-if", gate
    )
    assert (answer.status, answer.out) == (2, "")
    assert words in answer.err
    assert not (shop.folder / "e.jsonl").exists()


def test_the_names_of_gates_are_those_of_the_answers(shop):
    document = shop.run("replay", *COMPARE[1:], "--json").json
    units = {name: metric["unit"] for name, metric in document["metrics"].items()}
    assert set(units) == set(answers.METRICS)
    numbers = {name for name in document if name not in (*answers.TEXTS, "metrics")}
    assert numbers | {f"metrics.{name}" for name in units} == set(answers.REPLAY)
    assert {f"metrics.{name}" for name, unit in units.items() if unit == "share"} <= answers.SHARES
    plan = shop.run(*ALLOCATE, "--json").json
    for names, answer in ((answers.REPLAY, document), (answers.ALLOCATION, plan)):
        for gate in gates_of([f"{name} > 1e99" for name in names], names):
            assert gate.fails(answer) in (None, f"{gate.name} is not known")


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
        ("[compare\n", "must be TOML"),
        ("[comparison]\nseed = 1\n", "a command"),
        ("[compare]\nseeds = 1\n", "must be an option"),
        ("[defaults]\ncolour = 1\n", "must be an option"),
        ('[compare]\nseed = "x"\n', "see spotfleet.toml: it says 'x'"),
        ("[defaults]\nseed = -4\n", "see spotfleet.toml: it says -4"),
        ("[compare]\nplot = true\n", "plot = true: must be a text"),
        ("[compare]\nseed = {a = 1}\n", "must be a text or number"),
        ("[compare]\njson = 1\n", "must be true or false"),
        ("[compare]\nstrategy = [1, [2]]\n", "or a list of such"),
        ("compare = 5\n[defaults]\nseed = 1\n", "must be a table [defaults] or of a command"),
        ("[compare]\nseed = nan\n", "compare.seed nan: must be a finite number"),
        ("seed = " + "9" * 5000, "must be TOML of sane depth and numbers"),
        ("seed = " + "[" * 5000, "must be TOML"),
        ('[compare]\nseed = "a\\u0000b"\n', "must be text without NUL"),
    ],
)
def test_a_wrong_file_is_one_clear_error(shop, text, message):
    (shop.folder / "spotfleet.toml").write_text(text)
    answer = shop.run("compare", "fleet.json", "--prices", "prices.csv")
    assert answer.status == 2
    assert message in answer.err


def test_an_empty_default_is_none(shop):
    (shop.folder / "spotfleet.toml").write_text(
        '[defaults]\nprices = "prices.csv"\n[compare]\nstrategy = ""\n'
    )
    assert shop.run("compare", "fleet.json").status == 0


def test_pipes(shop):
    prices = (shop.folder / "prices.csv").read_text()
    answer = shop.run("allocate", "fleet.json", "--prices", "-", "--export", "create-fleet=-", stdin=prices)
    assert answer.status == 0
    assert answer.json["TargetCapacitySpecification"]["TotalTargetCapacity"] == 10
    (shop.folder / "od.csv.gz").write_bytes(gzip.compress((shop.folder / "od.csv").read_bytes()))
    piped = shop.run(*ALLOCATE[:4], "--on-demand", "-", "--json", stdin=(shop.folder / "od.csv").read_text())
    assert piped.json == shop.run(*ALLOCATE[:4], "--on-demand", "od.csv.gz", "--json").json
    assert shop.run("cache", "--prices", "-", "--out", "kept", stdin=prices).status == 0
    assert shop.run("allocate", "fleet.json", "--prices", "kept").status == 0
    comment = shop.run(*COMPARE, "--markdown", "-")
    assert comment.out.startswith("**")
    assert "│" not in comment.out  # the comment alone, no table for people
    events = shop.run(
        "replay", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv", "--events", "-"
    )
    assert all(line.startswith("{") for line in events.out.splitlines())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("allocate", "-", "--prices", "-"), "be read once"),
        ((*ALLOCATE, "--export", "csv=-", "--json"), "take one answer"),
        (("replay", *COMPARE[1:], "--events", "-", "--focus", "-"), "take one answer"),
        ((*COMPARE, "--plot", "-"), "end in .png or .svg"),
        (("cache", "--prices", "prices.csv", "--out", "-"), "is a folder"),
        (("allocate", "fleet.json", "--prices", "-"), "standard input has no price records"),
        (("allocate", "fleet.json", "--prices", ""), "is an empty argument"),
        (("allocate", "fleet.json", "--prices", "prices.csv", "--running", "nowhere.csv"), "does not exist"),
        (("replay", "fleet.json"), "see spotfleet replay --help"),
    ],
)
def test_pipes_and_names_that_cannot_be(shop, arguments, words):
    answer = shop.run(*arguments, stdin="")
    assert (answer.status, answer.out) == (2, "")
    assert words in answer.err
    assert answer.err.count("\n") == 1
    assert not (shop.folder / "-").exists()
