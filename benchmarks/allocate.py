"""How fast the allocation core is, beside every peer: one run, interleaved, answers equal first.

    python benchmarks/allocate.py [--sizes 100,1000] [--rounds 7] [--limit 1] [--minutes 10] [--json FILE]
        [--plot FILE]

A peer that takes longer than ``--limit`` seconds at one size is not asked for larger ones, and after
``--minutes`` no peer is asked any more. Reported are medians, their spread (quartiles), and the ratio of the
best peer's median to ours. A raw call is the engine alone on ready arrays: no peer, but the floor under them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TextIO

import numpy as np
from end_to_end import end_to_end
from peers import PEERS, RAW, Answer, Case
from updates import updates

from fleet import Linear
from fleet.model import EvenSpread, GroupLimit, Problem
from fleet.solvers import SOLVERS, choose_solver
from fleet.solvers.rules.launch_rule import launch

LP_PEERS = ("highspy", "SciPy", "PuLP+CBC", "PuLP+HiGHS", "OR-tools GLOP", "cvxpy", "linopy")
WHOLE_PEERS = (
    "highspy",
    "SciPy",
    "PuLP+CBC",
    "PuLP+HiGHS",
    "OR-tools SCIP",
    "OR-tools CP-SAT",
    "cvxpy",
    "linopy",
)
KINDS = {
    "LP lowestPrice": LP_PEERS,
    "LP lowestPrice, zone caps": LP_PEERS,
    "LP crossing zone and family caps": ("raw highspy call", "raw SciPy call", *LP_PEERS),
    "LP capacityOptimized, then price": ("highspy", "OR-tools GLOP"),
    "whole tiers of capacity, then price": ("highspy",),
    "whole lowestPrice": WHOLE_PEERS,
    "whole lowestPrice, adversarial": WHOLE_PEERS,
    "whole diversified": ("highspy", "PuLP+CBC", "OR-tools SCIP", "OR-tools CP-SAT"),
    "whole lowestPrice, zone caps": WHOLE_PEERS,
    "whole lowestPrice, crossing caps": WHOLE_PEERS,
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
    "raw highspy call": ("#D55E00", "2"),
    "raw SciPy call": ("#E69F00", "1"),
}
LEAST_S, ENOUGH_S = 0.005, 1.0
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


def given_up(case: Case) -> np.ndarray:
    """Return the capacity that an instance of each pool gives up: by score, or by one of four tiers of it."""
    return (100.0 - case.score if "tiers" not in case.kind else case.score // 25) * case.weight


def ours(case: Case, solver: str) -> Answer:
    """Answer a case with the core, from arrays to counts."""
    limits = tuple(
        GroupLimit(f"g{k}", group, caps, LABELS[: len(caps)]) for k, (group, caps) in enumerate(case.groups)
    )
    cost = Linear("cost", case.price)
    if "capacity" in case.kind:
        objectives = (Linear("score", given_up(case)), cost)
        problem = Problem.of(case.weight, case.target, objectives, upper=case.upper, whole=case.whole)
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
    first = Case(case.kind, given_up(case), case.weight, case.upper, case.target)
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
            h.setOptionValue("mip_rel_gap", 0.0)
            index = np.tile(np.arange(n, dtype=np.int32), 2)
            h.passModel(
                n, 2, 2 * n, 2, 1, 0.0, self.case.price, np.zeros(n), self.case.upper,
                np.array([self.case.target, -np.inf]), np.array([np.inf, self.most]),
                np.array([0, n, 2 * n], dtype=np.int32), index, np.concatenate((self.case.weight, self.row)),
                np.full(n, int(self.case.whole), dtype=np.int32),
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


def engines_of(kind: str, case: Case) -> dict[str, object]:
    """Return our ways to answer, then the peers'."""
    if kind == "whole diversified":
        mine = ("launch rule", "compiled")
    elif kind == "LP lowestPrice, zone caps":
        mine = ("closed-form", "compiled")
    elif "capacity" in kind or "caps" in kind:
        mine = ("auto",)
    else:
        mine = ("closed-form", "compiled")
    found: dict[str, object] = {f"spotfleet {name}": partial(ours, solver=name) for name in mine}
    for peer in KINDS[kind]:
        if "capacity" in kind:
            found[peer] = partial(two_stage, peer)
        else:
            found[peer] = PEERS[peer] if peer in PEERS else RAW[peer](case)
    return found


def right(kind: str, name: str, value: float, best: float) -> bool:
    """Whether an answer agrees with the best; the launch rule's level may lie above the exact optimum."""
    if name == "spotfleet launch rule":
        return value >= best - 1e-6
    return abs(value - best) <= 1e-5 * max(1.0, abs(best)) or (
        "capacityOptimized" in kind and value <= best * 1.001
    )


def measure(
    kind: str, n: int, options: argparse.Namespace, warm: set[str], tired: set[str], deadline: float
) -> dict[str, list[float]]:
    """Return seconds by engine: each answer checked, then interleaved rounds.

    What takes less than a few milliseconds is repeated within its round and divided, for every engine alike:
    a clock read once measures caches that the engine before it has emptied. An engine that has used up
    a second at one size sits out the other rounds; past the deadline no peer is asked.
    """
    case = case_of(kind, n)
    times: dict[str, list[float]] = {}
    values: dict[str, float] = {}
    repeats = {}
    engines = engines_of(kind, case)
    for name, engine in engines.items():
        if name in tired or (time.monotonic() > deadline and not name.startswith("spotfleet")):
            continue
        try:
            if name not in warm or name == "spotfleet compiled":
                engine(case)  # imports, compiles; other sizes may take kernels that are not compiled yet
                warm.add(name)
            started = time.perf_counter()
            values[name], _ = engine(case)
            took = time.perf_counter() - started
        except NotImplementedError:
            tired.add(name)
            continue
        repeats[name] = int(np.clip(LEAST_S / took, 1, 200))
        times[name] = [took] if repeats[name] == 1 else []
        if took > options.limit:
            tired.add(name)
    if not values:
        return times
    best = min(value for name, value in values.items() if name != "spotfleet launch rule")
    for name, value in values.items():
        if not right(kind, name, value, best):
            raise SystemExit(f"{kind}, {n} pools: {name} says {value!r}, the best answer is {best!r}")
    for _ in range(options.rounds):
        for name, count in repeats.items():
            if name in tired or sum(times[name]) * count > ENOUGH_S:
                continue
            started = time.perf_counter()
            for _ in range(count):
                engines[name](case)
            times[name].append((time.perf_counter() - started) / count)
    return times


def own_stdout() -> TextIO:
    """Return a stream to where stdout went, and send stdout away: some engines announce themselves on it."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return out


def draw(table: list[dict[str, object]], path: Path) -> None:
    """Draw milliseconds against pools, log-log, a panel a kind."""
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
    for ax in axes[len(kinds) :]:
        ax.set_axis_off()
    drawn = {label: line for ax in axes for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(
        [drawn[name] for name in LOOKS if name in drawn], [name for name in LOOKS if name in drawn],
        loc="outside lower center", ncols=5, fontsize=9, frameon=False,
    )  # fmt: skip
    figure.savefig(path, dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10,100,1000,10000,100000")
    parser.add_argument("--kinds", default="", help="names of kinds, separated by semicolons")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--limit", type=float, default=1.0)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    deadline = time.monotonic() + 60 * options.minutes
    out = own_stdout()
    kinds = [kind for kind in KINDS if not options.kinds or kind in options.kinds.split(";")]
    table: list[dict[str, object]] = []
    for kind in kinds:
        warm: set[str] = set()
        tired: set[str] = set()
        for n in map(int, options.sizes.split(",")):
            if "caps" in kind and n < SMALLEST_CAPPED:
                continue
            times = measure(kind, n, options, warm, tired, deadline)
            medians = {name: float(np.median(seconds)) for name, seconds in times.items()}
            peers = {name: s for name, s in medians.items() if name in PEERS}
            best = min(peers, key=peers.get) if peers else None
            for name, seconds in times.items():
                low, high = (float(q) for q in np.quantile(seconds, [0.25, 0.75]))
                row = {
                    "kind": kind,
                    "pools": n,
                    "engine": name,
                    "median_s": medians[name],
                    "low_s": low,
                    "high_s": high,
                }
                table.append(row)
                ratio = peers[best] / medians[name] if best and name.startswith("spotfleet") else None
                note = f"  {ratio:8.1f} x {best}" if ratio else ""
                spread = f"({1e3 * low:.3f}-{1e3 * high:.3f})"
                print(
                    f"{kind:34}{n:>8}  {name:24}{1e3 * medians[name]:12.3f} ms  {spread}{note}",
                    file=out,
                    flush=True,
                )
    rates = updates(case_of, min(options.rounds, 5)) if not options.kinds else []
    for row in rates:
        print(
            f"{row['work']:24}{row['engine']:30}{row['per_second']:>12,.0f} updates a second",
            file=out,
            flush=True,
        )
    whole_calls = end_to_end(min(options.rounds, 5)) if not options.kinds else []
    for row in whole_calls:
        print(
            f"{row['work']:42}{row['pools']:>8}  {1e3 * row['median_s']:10.2f} ms by the clock, "
            f"{1e3 * row['processor_s']:10.2f} ms of the processor",
            file=out,
            flush=True,
        )
    if options.json:
        facts = {"machine": platform.processor() or platform.machine(), "python": platform.python_version()}
        options.json.write_text(
            json.dumps(
                {"facts": facts, "table": table, "updates": rates, "end_to_end": whole_calls}, indent=1
            )
        )
    if options.plot:
        draw(table, options.plot)


if __name__ == "__main__":
    main()
