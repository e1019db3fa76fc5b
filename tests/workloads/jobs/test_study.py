"""A folder of traces in, a study out: starts, polarity, the table, the command line, the picture."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fleet
from fleet.cli import answers
from fleet.errors import CapacityDataError, InputError
from fleet.io.capacity.trace_set import join_zones, read_trace_set
from fleet.plots import job_figure, plot_job, save_figure
from fleet.workloads.jobs import Job, clairvoyant_plan, job_study
from tests.helpers import plain_job as plain
from tests.helpers.in_process import run_spotfleet

PUBLISHED = (48, 60, 0.2, 0.9731, 3.06)
NINE_ZONES = "availability/v100-1-node-9-zones-2023-02"


def write(folder, name, data, gap=600, **metadata):
    document = {"metadata": {"gap_seconds": gap, **metadata}, "data": data}
    (folder / name).write_text(json.dumps(document))


@pytest.fixture
def traces(tmp_path):
    """Two zones that come and go, 45 ticks of 10 minutes; the second is shorter."""
    folder = tmp_path / "traces"
    folder.mkdir()
    rng = np.random.default_rng(4)
    for name, ticks in (("x-1a_v100_1.json", 45), ("x-1b_v100_1.json", 42)):
        write(folder, name, ((rng.random(ticks) < 0.2).cumsum() % 2).tolist())
    return folder


def small(**kwargs):
    return Job.of_hours(4, 6, 0.2, 0.9731, 3.06, **kwargs)


def test_every_start_that_leaves_room(traces):
    study = job_study(small(), read_trace_set(traces, polarity="available"))
    assert [len(t.clairvoyant.starts) for t in study.traces] == [45 - 36 + 1, 42 - 36 + 1]
    window = job_study(small(), read_trace_set(traces, polarity="available"), start_tick=3, ticks=38)
    assert [t.clairvoyant.starts.tolist() for t in window.traces] == [[3, 4, 5], [3, 4, 5]]
    one = job_study(small(), read_trace_set(traces, polarity="available"), start_tick=4)
    assert [t.clairvoyant.starts.tolist() for t in one.traces] == [[4], [4]]
    for name in (*study.strategies, "clairvoyant"):
        all_starts, few = study.runs(name), window.runs(name)
        assert all_starts[0].cost[3:6].tolist() == few[0].cost.tolist(), name
        assert all_starts[0].cost[4] == one.runs(name)[0].cost[0], name


def test_numbers_of_a_study(traces):
    study = job_study(small(), read_trace_set(traces, polarity="available"))
    document = study.to_dict()
    assert document["strategies"][0]["runs"] == 17
    for line in (*document["strategies"], document["clairvoyant"]):
        hours = line["spot_hours"] * 0.9731 + line["on_demand_hours"] * 3.06
        assert line["cost"] == pytest.approx(hours)
        assert line["total_cost"] == pytest.approx(17 * line["cost"])
        assert line["regret"] == pytest.approx(line["cost"] - document["clairvoyant"]["cost"])
        assert line["misses"] == 0
    assert document["strategies"][0]["gap_closed"] == 0
    assert document["clairvoyant"]["gap_closed"] == 1
    assert document["on_demand_cost"] == pytest.approx(26 * 600 / 3600 * 3.06)  # 4.2 h are 25.2 ticks
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert "clairvoyant" in study.summary()
    assert repr(study) == "JobStudy(5 strategies, 2 traces, 17 starts)"


def test_a_job_that_hops_costs_no_more_at_best(traces):
    sets = read_trace_set(traces, polarity="available")
    both = join_zones(sets)
    assert both.notes[-1] == "traces of 42 to 45 ticks are cut to the first 42"
    hop = job_study(small(), [both], ["uniform-progress"])
    for single in sets:
        alone = job_study(small(), [single], ["uniform-progress"], ticks=42)
        assert (hop.traces[0].clairvoyant.cost <= alone.traces[0].clairvoyant.cost + 1e-9).all()


def test_polarity(tmp_path):
    write(tmp_path, "a_v100_1.json", [1, 0, 1])
    up = read_trace_set(tmp_path, polarity="available")[0]
    assert up.count[:, 0].tolist() == [1, 0, 1]
    assert up.notes == ("polarity available (stated)",)
    assert read_trace_set(tmp_path, polarity="preempted")[0].count[:, 0].tolist() == [0, 1, 0]
    with pytest.raises(CapacityDataError, match=r"without a polarity: must be .*--polarity available"):
        read_trace_set(tmp_path)
    with pytest.raises(CapacityDataError, match="must be one of available, preempted"):
        read_trace_set(tmp_path, polarity="up")
    write(tmp_path, "a_v100_1.json", [4, 0, 1])
    assert "counts above 1" in read_trace_set(tmp_path)[0].notes[0]
    with pytest.raises(CapacityDataError, match="counts above 1"):
        read_trace_set(tmp_path, polarity="preempted")


def test_the_commands_refuse_what_nobody_says_in_the_same_words(traces):
    job = run_spotfleet("job", "--availability", traces, *OPTIONS[2:], "--on-demand-price", 3.06)
    service = ("--replicas", 1, "--spot-price", 1, "--on-demand-price", 3)
    kept = run_spotfleet("service", "--availability", traces, *service)
    (traces.parent / "fleet.json").write_text(
        '{"TargetCapacity": 1, "LaunchSpecifications": [{"InstanceType": "m5.large"}]}'
    )
    start = ("--availability-start", "2021-05-01T00:00:00Z")
    files = ("--prices", traces.parent / "prices.csv", "--availability", traces, *start)
    compared = run_spotfleet("compare", traces.parent / "fleet.json", *files)
    for answer in (job, kept, compared):
        assert (answer.status, answer.out) == (2, "")
        assert answer.err.count("\n") == 1
        assert "must be read with what 1 means" in answer.err
        assert "--polarity available (1 = up) or --polarity preempted (1 = lost)" in answer.err


@pytest.fixture
def two_nodes(tmp_path):
    """One zone with traces of two kinds of node, another with one."""
    folder = tmp_path / "nodes"
    folder.mkdir()
    write(folder, "x-1a_k80_1.json", [1] * 45)
    write(folder, "x-1a_v100_8.json", [0] * 45)
    write(folder, "x-1b_k80_1.json", [1, 0, 0] * 15)
    return folder


def test_traces_of_two_nodes_in_one_zone_are_told_apart(two_nodes):
    sets = read_trace_set(two_nodes, polarity="available")
    assert [s.zones for s in sets] == [("x-1a_k80_1",), ("x-1a_v100_8",), ("x-1b",)]
    assert [s.node for s in sets] == ["k80_1", "v100_8", "k80_1"]
    study = job_study(small(), sets, ["greedy"])
    assert [t.uptime for t in study.traces] == [1, 0, pytest.approx(1 / 3)]
    assert "traces of k80_1, v100_8 are run at the same prices" in study.notes
    for kind in ("k80_1", "p2.xlarge"):
        few = read_trace_set(two_nodes, polarity="available", instance_type=kind)
        assert [s.zones for s in few] == [("x-1a",), ("x-1b",)]
        assert join_zones(few).count[:2].tolist() == [[1, 1], [1, 0]]
    with pytest.raises(CapacityDataError, match=r"'m5.large': must be .*k80_1, v100_8"):
        read_trace_set(two_nodes, polarity="available", instance_type="m5.large")
    with pytest.raises(CapacityDataError, match=r"one kind of node.*--trace-type"):
        join_zones(sets)
    write(two_nodes, "x-1b_k80_1.json.bak", [0] * 45)
    with pytest.raises(CapacityDataError, match="two traces of x-1b_k80_1: must not be of the same zone"):
        read_trace_set(two_nodes, polarity="available")


def test_two_nodes_on_the_command_line(two_nodes):
    prices = ("--on-demand-price", 3.06, "--strategy", "greedy")
    alone = run_spotfleet("job", "--availability", two_nodes, *OPTIONS, *prices, "--json")
    assert [t["uptime"] for t in alone.json["traces"]] == [1, 0, pytest.approx(1 / 3)]
    assert [t["trace"] for t in alone.json["traces"]] == ["x-1a_k80_1", "x-1a_v100_8", "x-1b"]
    hop = run_spotfleet("job", "--availability", two_nodes, *OPTIONS, *prices, "--hop")
    assert (hop.status, hop.out) == (2, "")
    assert "traces of k80_1, v100_8: must be of one kind of node" in hop.err
    chosen = ("--trace-type", "p2.xlarge", "--hop", "--json")
    hop = run_spotfleet("job", "--availability", two_nodes, *OPTIONS, *prices, *chosen)
    assert hop.json["traces"][0]["zones"] == ["x-1a", "x-1b"]
    common = ("--availability", two_nodes, "--polarity", "available", "--replicas", 1, "--spot-price", 1)
    refused = run_spotfleet("service", *common, "--on-demand-price", 3)
    assert refused.status == 2
    assert "--trace-type" in refused.err
    done = run_spotfleet("service", *common, "--on-demand-price", 3, "--trace-type", "k80_1", "--json")
    assert done.json["zones"] == ["x-1a", "x-1b"]


def test_zones_are_joined_from_python():
    one, other = (fleet.io.TraceSet(300, (z,), np.ones((n, 1)), ("seen",)) for z, n in (("a", 3), ("b", 2)))
    both = fleet.io.join_zones([one, other])
    assert (both.zones, both.count.tolist()) == (("a", "b"), [[1, 1], [1, 1]])
    assert both.notes == ("seen", "traces of 2 to 3 ticks are cut to the first 2")
    assert [s.zones for s in both.each()] == [("a",), ("b",)]
    assert fleet.io.join_zones([both.each()[1]]).count.tolist() == [[1], [1]]
    with pytest.raises(CapacityDataError, match="each zone once"):
        fleet.io.join_zones([one, one])
    with pytest.raises(CapacityDataError, match="at least one"):
        fleet.io.join_zones([])
    with pytest.raises(CapacityDataError, match="ticks of 300 s and 600 s: must be of one length"):
        fleet.io.join_zones([one, fleet.io.TraceSet(600, ("b",), np.ones((2, 1)))])
    with pytest.raises(CapacityDataError, match="must have different names"):
        fleet.io.TraceSet(300, ("a", "a"), np.ones((2, 2)))
    runs = [fleet.io.TraceSet(300, (z,), np.ones((2, 1)), node=f"run{z}") for z in "ab"]
    assert fleet.io.join_zones(runs).notes == ("traces of runa, runb are taken as one kind of node",)


def test_a_trace_that_is_too_short_is_left_out_and_named(traces):
    write(traces, "x-1c_v100_1.json", [1] * 20)
    study = job_study(small(), read_trace_set(traces, polarity="available"), ["greedy"])
    assert [t.trace for t in study.traces] == ["x-1a", "x-1b"]
    assert study.notes[-1] == "left out, shorter than the deadline: x-1c"


def test_wrong_questions(traces):
    sets = read_trace_set(traces, polarity="available")
    with pytest.raises(InputError, match="must not all be shorter than the deadline"):
        job_study(small(), sets, ticks=10)
    with pytest.raises(InputError, match="must not be shorter than the deadline"):
        job_study(small(), sets[:1], ticks=10)
    with pytest.raises(CapacityDataError, match="45 ticks"):
        job_study(small(), sets[:1], start_tick=20)
    with pytest.raises(InputError, match="at least one"):
        job_study(small(), [])


OPTIONS = (
    "--polarity",
    "available",
    "--work",
    4,
    "--deadline",
    6,
    "--restart-overhead",
    0.2,
    "--spot-price",
    0.9731,
)


def test_the_command(traces, tmp_path):
    picture = tmp_path / "job.png"
    done = run_spotfleet(
        "job", "--availability", traces, *OPTIONS, "--on-demand-price", 3.06, "--json", "--plot", picture
    )
    assert done.status == 0, done.err
    assert done.json == job_study(small(), read_trace_set(traces, polarity="available")).to_dict()
    assert "polarity available" in done.err
    assert picture.stat().st_size > 10_000
    table = run_spotfleet("job", "--availability", traces, *OPTIONS, "--on-demand-price", 3.06, "--hop")
    assert "uniform-progress" in table.out
    assert set(answers.JOB) < set(done.json["strategies"][0])
    gate = ("--fail-if", "cost > 0", "--strategy", "greedy")
    dear = run_spotfleet("job", "--availability", traces, *OPTIONS, "--on-demand-price", 3.06, *gate)
    assert dear.status == 1
    assert dear.err.count("(fail if cost > 0)") == 1  # greedy's, not the clairvoyant's
    longer = list(OPTIONS)
    longer[longer.index("--work") + 1] = 6
    late = run_spotfleet("job", "--availability", traces, *longer, "--on-demand-price", 3.06)
    assert (late.status, late.out) == (1, "")
    assert "on-demand alone needs" in late.err
    wrong = run_spotfleet(
        "job", "--availability", traces, *OPTIONS, "--on-demand-price", 3.06, "--zone-price", "q=1"
    )
    assert (wrong.status, wrong.out) == (2, "")
    assert "must name one of x-1a, x-1b" in wrong.err


def test_the_picture_says_what_the_study_says(traces, tmp_path):
    study = job_study(small(), read_trace_set(traces, polarity="available"))
    ax = plot_job(study)
    assert [t.get_text() for t in ax.get_yticklabels()][::-1] == [*study.strategies, "clairvoyant"]
    words = " ".join(t.get_text() for t in ax.texts)
    assert f"${study.mean_cost('greedy'):,.2f}" in words
    for name in ("a.png", "b.png"):
        save_figure(job_figure(study), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_more_nodes_than_a_zone_ever_holds_is_said():
    never, ever = (fleet.io.TraceSet(600, (zone,), np.full((40, 1), n)) for zone, n in (("a", 1), ("b", 2)))
    study = job_study(Job(3000, 6000, 600, 1.0, 3.0, nodes=2), [never, ever], ["greedy"])
    assert "2 instances at once are never there: a" in study.notes
    assert study.traces[0].uptime == 0
    one = job_study(Job(3000, 6000, 600, 1.0, 3.0), [never, ever], ["greedy"])
    assert not any("never there" in note for note in one.notes)


def test_the_public_names(traces):
    assert fleet.workloads.job_study is job_study
    cost, modes = fleet.workloads.clairvoyant_plan(
        small(), fleet.io.read_trace_set(traces, polarity="available")[0], 2
    )
    assert len(modes) == 36
    study = job_study(small(), read_trace_set(traces, polarity="available")[:1], start_tick=2)
    assert cost == pytest.approx(study.mean_cost("clairvoyant"))


@pytest.mark.data
def test_golden_dollars_of_three_zones(data_dir):
    """The published prices and times on ticks of 195 s; the published traces are not at hand."""
    sets = read_trace_set(data_dir / NINE_ZONES, polarity="available")[::3]
    names = ["greedy", "uniform-progress", "next-lifetime"]
    study = job_study(Job.of_hours(*PUBLISHED), sets, names, every=2000)
    got = {x["strategy"]: round(x["cost"], 2) for x in study.lines()}
    assert got == GOLDEN
    assert sum(x["misses"] for x in study.lines()) == 0
    four = read_trace_set(data_dir / "availability" / "v100-4-node-3-zones-2023-08")
    gang = job_study(Job.of_hours(*PUBLISHED, nodes=4), four, ["uniform-progress"], every=1500)
    alone = job_study(Job.of_hours(*PUBLISHED), four, ["uniform-progress"], every=1500)
    assert gang.mean_cost("clairvoyant") >= 4 * alone.mean_cost("clairvoyant")


GOLDEN = {"greedy": 110.38, "uniform-progress": 100.05, "next-lifetime": 95.4, "clairvoyant": 92.47}


@pytest.mark.deep
@pytest.mark.data
@pytest.mark.parametrize("billing", ["whole-tick", "per-second"])
def test_real_traces_by_the_plain_twin_and_one_by_one(data_dir, billing):
    traces = read_trace_set(data_dir / NINE_ZONES, polarity="available")[3]
    it = Job.of_hours(*PUBLISHED, billing=billing)
    study = job_study(it, [traces], every=101)
    best = study.traces[0].clairvoyant
    for i in range(0, len(best.starts), 40):
        start = int(best.starts[i])
        assert best.cost[i] == pytest.approx(clairvoyant_plan(it, traces, start)[0], abs=1e-9)
        for runs in study.traces[0].runs:
            if runs.strategy != "randomized":
                by_hand = plain.run(it, traces, plain.PLAIN[runs.strategy](), start)
                assert runs.cost[i] == pytest.approx(by_hand.cost)
