"""How fast the allocation core is, beside every peer: one run, interleaved, answers equal first.

    python benchmarks/allocate.py [--sizes 100,1000] [--rounds 7] [--limit 5] [--json FILE] [--plot FILE]

A peer that takes longer than ``--limit`` seconds at one size is not asked for larger ones. Reported are
medians, their spread (quartiles), and the ratio of the best peer's median to ours.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import platform
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from peers import PEERS, Answer, Case

from fleet import GroupLimit, Linear, Problem, WarmProblem
from fleet.model import EvenSpread
from fleet.solvers import SOLVERS, choose_solver
from fleet.solvers.launch_rule import launch

KINDS = {
    "LP lowestPrice": ("highspy", "SciPy", "PuLP+CBC", "PuLP+HiGHS", "OR-tools GLOP", "cvxpy", "linopy"),
    "LP lowestPrice, zone caps": ("highspy", "SciPy", "PuLP+CBC", "OR-tools GLOP", "cvxpy"),
    "LP crossing zone and family caps": ("highspy", "SciPy", "PuLP+CBC", "OR-tools GLOP", "cvxpy"),
    "LP capacityOptimized, then price": ("highspy", "OR-tools GLOP"),
    "whole lowestPrice": ("highspy", "SciPy", "PuLP+CBC", "OR-tools SCIP", "OR-tools CP-SAT"),
    "whole lowestPrice, adversarial": ("highspy", "PuLP+CBC", "OR-tools SCIP"),
    "whole diversified": ("highspy", "PuLP+CBC", "OR-tools SCIP", "OR-tools CP-SAT"),
    "whole lowestPrice, zone caps": ("highspy", "PuLP+CBC", "OR-tools SCIP", "OR-tools CP-SAT"),
}


LOOKS = {
    "spotfleet closed-form": ("#0072B2", "o"),
    "spotfleet compiled": ("#56B4E9", "s"),
    "spotfleet auto": ("#0072B2", "D"),
    "spotfleet launch rule": ("#0072B2", "P"),
    "highspy": ("#D55E00", "^"),
    "SciPy": ("#E69F00", "v"),
    "PuLP+CBC": ("#009E73", "<"),
    "PuLP+HiGHS": ("#009E73", ">"),
    "OR-tools GLOP": ("#CC79A7", "*"),
    "OR-tools SCIP": ("#CC79A7", "X"),
    "OR-tools CP-SAT": ("#CC79A7", "d"),
    "cvxpy": ("#000000", "h"),
    "linopy": ("#888888", "p"),
}
SMALLEST_CAPPED = 100  # with fewer pools some group cannot carry its share
LABELS = tuple(map(str, range(100)))


def case_of(kind: str, n: int, seed: int = 1) -> Case:
    """Return one instance: real weights, prices per unit within a factor of 4, pools of 1 to 20."""
    rng = np.random.default_rng(seed + n)
    weight = rng.choice([1, 2, 4, 8, 16, 32, 48, 64, 96], n).astype(float)
    price = np.round(rng.uniform(0.01, 0.04, n) * weight, 4)
    if "adversarial" in kind:
        weight = rng.integers(1, 97, n).astype(float)
        price = (37 + 100 * weight) / 10_000
    upper = rng.integers(1, 21, n).astype(float)
    reach = float((weight * upper).sum())
    target = min(10_000.0, round(0.5 * reach)) if kind.startswith("whole") else float(round(0.3 * reach))
    groups = []
    if "caps" in kind:
        zone = rng.integers(0, 6, n)
        groups.append((zone, np.full(6, np.ceil(0.2 * target))))
    if "crossing" in kind:
        groups.append((rng.integers(0, 20, n), np.full(20, np.ceil(0.08 * target))))
    score = rng.integers(1, 100, n).astype(float)
    return Case(kind, price, weight, upper, target, tuple(groups), score)


def ours(case: Case, solver: str) -> Answer:
    """Answer a case with the core, from arrays to counts."""
    limits = tuple(
        GroupLimit(f"g{k}", group, caps, LABELS[: len(caps)]) for k, (group, caps) in enumerate(case.groups)
    )
    cost = Linear("cost", case.price)
    if "capacityOptimized" in case.kind:
        given_up = Linear("score", (100.0 - case.score) * case.weight)
        problem = Problem.of(case.weight, case.target, (given_up, cost), upper=case.upper)
        solution = choose_solver("auto", problem).solve(problem)
        return solution.values[1], solution.instances
    if case.spread:
        problem = Problem.of(case.weight, case.target, (EvenSpread(), cost), upper=case.upper, whole=True)
        if solver == "launch rule":
            counts = launch(problem)
            return float((counts * case.weight).max()), counts
        solution = choose_solver(solver, problem).solve(problem)
        return solution.values[0], solution.instances
    problem = Problem.of(
        case.weight, case.target, (cost,), upper=case.upper, price=case.price, limits=limits, whole=case.whole
    )
    solution = (SOLVERS[solver]() if solver != "auto" else choose_solver("auto", problem)).solve(problem)
    return solution.values[0], solution.instances


def two_stage(peer: str, case: Case) -> Answer:
    """Answer "capacity first, then price" with a peer: two solves, the first one's optimum held as a row."""
    first = Case(case.kind, (100.0 - case.score) * case.weight, case.weight, case.upper, case.target)
    best, _ = PEERS[peer](first)
    cheap = Case(case.kind, case.price, case.weight, case.upper, case.target)
    held = Held(cheap, first.price, best)
    return held.solve(peer)


class Held:
    """The second stage: cost under a row that keeps the first stage at its optimum."""

    def __init__(self, case: Case, row: np.ndarray, most: float) -> None:
        self.case, self.row, self.most = case, row, most * (1 + 1e-9)

    def solve(self, peer: str) -> Answer:
        if peer == "highspy":
            import highspy

            n = len(self.case.price)
            h = highspy.Highs()
            h.setOptionValue("output_flag", False)
            index = np.tile(np.arange(n, dtype=np.int32), 2)
            h.passModel(
                n, 2, 2 * n, 2, 1, 0.0, self.case.price, np.zeros(n), self.case.upper,
                np.array([self.case.target, -np.inf]), np.array([np.inf, self.most]),
                np.array([0, n, 2 * n], dtype=np.int32), index, np.concatenate((self.case.weight, self.row)),
                np.zeros(n, dtype=np.int32),
            )  # fmt: skip
            h.run()
            return float(h.getInfo().objective_function_value), np.array(h.getSolution().col_value)
        from ortools.linear_solver import pywraplp

        s = pywraplp.Solver.CreateSolver("GLOP")
        x = [s.NumVar(0, float(u), "") for u in self.case.upper]
        cover, keep = (
            s.RowConstraint(self.case.target, s.infinity(), ""),
            s.RowConstraint(-s.infinity(), self.most, ""),
        )
        objective = s.Objective()
        for j, v in enumerate(x):
            cover.SetCoefficient(v, float(self.case.weight[j]))
            keep.SetCoefficient(v, float(self.row[j]))
            objective.SetCoefficient(v, float(self.case.price[j]))
        objective.SetMinimization()
        s.Solve()
        return objective.Value(), np.array([v.solution_value() for v in x])


def engines_of(kind: str) -> dict[str, object]:
    """Return our ways to answer, then the peers'."""
    if kind == "whole diversified":
        mine = ("launch rule", "compiled")
    elif kind == "LP lowestPrice, zone caps":
        mine = ("closed-form", "compiled")
    elif "capacityOptimized" in kind or "caps" in kind:
        mine = ("auto",)
    else:
        mine = ("closed-form", "compiled")
    found: dict[str, object] = {f"spotfleet {name}": partial(ours, solver=name) for name in mine}
    for peer in KINDS[kind]:
        if "capacityOptimized" in kind:
            found[peer] = partial(two_stage, peer)
        else:
            found[peer] = PEERS[peer]
    return found


def right(kind: str, name: str, value: float, best: float) -> bool:
    """Whether an answer agrees with the best; the launch rule's level may lie above the exact optimum."""
    if name == "spotfleet launch rule":
        return value >= best - 1e-6
    return abs(value - best) <= 1e-5 * max(1.0, abs(best)) or (
        "capacityOptimized" in kind and value <= best * 1.001
    )


def measure(kind: str, n: int, rounds: int, tired: set[str], limit: float) -> dict[str, list[float]]:
    """Return seconds by engine: one checked warm-up, then interleaved rounds."""
    case = case_of(kind, n)
    times: dict[str, list[float]] = {}
    values: dict[str, float] = {}
    alive = {}
    for name, engine in engines_of(kind).items():
        if name in tired:
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                if name == "spotfleet compiled":
                    engine(case)  # compiles on a machine's first run
                started = time.perf_counter()
                values[name], _ = engine(case)
        except NotImplementedError:
            continue
        alive[name] = engine
        if time.perf_counter() - started > limit:
            tired.add(name)
            times[name] = [time.perf_counter() - started]
    if not values:
        return times  # every engine was too slow at a smaller size
    best = min(value for name, value in values.items() if name != "spotfleet launch rule")
    for name, value in values.items():
        if not right(kind, name, value, best):
            raise SystemExit(f"{kind}, {n} pools: {name} says {value!r}, the best answer is {best!r}")
    for _ in range(rounds):
        for name, engine in alive.items():
            if name not in tired:
                with contextlib.redirect_stdout(io.StringIO()):
                    started = time.perf_counter()
                    engine(case)
                    times.setdefault(name, []).append(time.perf_counter() - started)
    return times


def updates(rounds: int) -> list[dict[str, object]]:
    """Return updates a second: 500 pools, LP one by one and as a batch, and exact whole instances."""
    case = case_of("LP lowestPrice", 500)
    rng = np.random.default_rng(0)
    prices = np.round(case.price * rng.uniform(0.9, 1.1, (1000, 500)), 4)
    region = Problem.of(case.weight, case.target, (Linear("c", case.price),), upper=case.upper)
    whole = Problem.of(case.weight, 10_000.0, (Linear("c", case.price),), upper=case.upper, whole=True)
    limited = Problem.of(
        case.weight, case.target, (Linear("c", case.price),), upper=case.upper,
        limits=(
            GroupLimit("zone", rng.integers(0, 6, 500), np.full(6, 0.25 * case.target), tuple("abcdef")),
            GroupLimit("family", rng.integers(0, 9, 500), np.full(9, 0.2 * case.target), tuple("abcdefghi")),
        ),
    )  # fmt: skip
    warm, exact, crossing = WarmProblem(region), WarmProblem(whole), WarmProblem(limited)
    work = {
        "LP, one by one": lambda: [warm.solve(row).cost_per_hour for row in prices],
        "LP, as a batch": lambda: list(warm.solve_many(prices).cost_per_hour),
        "LP, highspy warm": lambda: warm_highspy(case, prices),
        "LP, crossing limits (HiGHS warm)": lambda: [crossing.solve(row).cost_per_hour for row in prices],
        "whole, exact": lambda: [exact.solve(row).cost_per_hour for row in prices[:300]],
    }
    answers = {name: run() for name, run in work.items()}
    for name in ("LP, as a batch", "LP, highspy warm"):
        np.testing.assert_allclose(answers[name], answers["LP, one by one"], rtol=1e-6)
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return [
        {"work": name, "per_second": len(answers[name]) / float(np.median(times))}
        for name, times in seconds.items()
    ]


def warm_highspy(case: Case, prices: np.ndarray) -> list[float]:
    """Answer price updates with a HiGHS model that stays loaded."""
    import highspy

    n = len(case.price)
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.passModel(
        n, 1, n, 2, 1, 0.0, case.price, np.zeros(n), case.upper, np.array([case.target]), np.array([np.inf]),
        np.array([0, n], dtype=np.int32), np.arange(n, dtype=np.int32), case.weight,
        np.zeros(n, dtype=np.int32),
    )  # fmt: skip
    columns = np.arange(n, dtype=np.int32)
    found = []
    for row in prices:
        h.changeColsCost(n, columns, row)
        h.run()
        found.append(h.getInfo().objective_function_value)
    return found


def draw(table: list[dict[str, object]], path: Path) -> None:
    """Draw seconds against pools, log-log, a panel a kind."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(row["kind"] for row in table))
    figure = Figure(figsize=(15, 3.9 * ((len(kinds) + 2) // 3)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots((len(kinds) + 2) // 3, 3, squeeze=False).ravel()
    for ax, kind in zip(axes, kinds, strict=False):
        for name, (colour, marker) in LOOKS.items():
            rows = [row for row in table if row["kind"] == kind and row["engine"] == name]
            if rows:
                mine = name.startswith("spotfleet")
                ax.plot(
                    [row["pools"] for row in rows], [1e3 * row["median_s"] for row in rows], label=name,
                    marker=marker, color=colour, linewidth=2.6 if mine else 1.2, markersize=7 if mine else 5,
                    linestyle="-" if mine else "--", zorder=3 if mine else 2,
                )  # fmt: skip
        ax.set(xscale="log", yscale="log", xlabel="launch pools", ylabel="milliseconds")
        ax.set_title(kind, loc="left", fontsize=10, fontweight="bold")
        ax.grid(which="major", color="#dddddd")
        ax.legend(fontsize=7)
    for ax in axes[len(kinds) :]:
        ax.set_axis_off()
    figure.savefig(path, dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10,100,1000,10000,100000")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--limit", type=float, default=5.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    sizes = [int(size) for size in options.sizes.split(",")]
    kinds = [kind for kind in KINDS if not options.kinds or any(k == kind for k in options.kinds.split(";"))]
    table: list[dict[str, object]] = []
    for kind in kinds:
        tired: set[str] = set()
        for n in sizes if "caps" not in kind else [size for size in sizes if size >= SMALLEST_CAPPED]:
            times = measure(kind, n, options.rounds, tired, options.limit)
            medians = {name: float(np.median(seconds)) for name, seconds in times.items()}
            peers = {name: s for name, s in medians.items() if not name.startswith("spotfleet")}
            best = min(peers, key=peers.get) if peers else None
            for name, seconds in times.items():
                low, high = np.quantile(seconds, [0.25, 0.75])
                ratio = peers[best] / medians[name] if best and name.startswith("spotfleet") else None
                table.append(
                    {
                        "kind": kind,
                        "pools": n,
                        "engine": name,
                        "median_s": medians[name],
                        "low_s": low,
                        "high_s": high,
                    }
                )
                note = f"  {ratio:8.1f} x {best}" if ratio else ""
                spread = f"({1e3 * low:.3f}-{1e3 * high:.3f})"
                print(f"{kind:34}{n:>8}  {name:24}{1e3 * medians[name]:12.3f} ms  {spread}{note}", flush=True)
    rates = updates(options.rounds)
    for row in rates:
        print(f"{row['work']:34}{row['per_second']:>12,.0f} updates a second")
    if options.json:
        facts = {"machine": platform.processor() or platform.machine(), "python": platform.python_version()}
        options.json.write_text(
            json.dumps({"facts": facts, "table": table, "updates": rates}, indent=1, default=float)
        )
    if options.plot:
        draw(table, options.plot)


if __name__ == "__main__":
    main()
