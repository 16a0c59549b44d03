"""The grader beside nbgrader, Otter-Grader and the bare checks: same answers, same checks.

    make bench ARGS=--quick          six submissions, one round: does it run?
    make bench                       forty submissions, three rounds
    make bench ARGS=--busy           once more beside processes that compute
    make bench ARGS=--full           that, and growth up to 1,000 submissions

Prints tables, writes build/bench/results.json. docs/benchmarks.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.accounting import CommandFailed
from benchmarks.classroom import Work, make_class
from benchmarks.environments import CACHE, ROOT, NotInstalled
from benchmarks.report import (
    Grading,
    Target,
    at_least,
    at_most,
    cost_parts_table,
    cost_table,
    machine,
    median,
    ratio,
    ratio_table,
    target_table,
    write_json,
)
from benchmarks.tools import (
    Bare,
    Nbgrader,
    NbgraderWithEngine,
    Otter,
    Ours,
    Scores,
    Tool,
    emptied,
)
from benchmarks.waiting import BUSY_PROCESSES, Waits, busy_machine
from grader.config.course import Course, load_course
from grader.judging.engine import usable_cores

ONE_CHECK = Path(__file__).parent / "one_check"
TOLERANCE = 1e-6  # of a point
TOOLS = ["ours", "bare", "nbgrader", "engine", "otter"]
BUSY = 0.25  # other processes' load on a core from which figures mislead
KEPT = 300
"""So many results are kept when one is asked for again."""


def main() -> None:
    options = _options()
    course, where = load_course(ROOT), machine()
    _warn_if_busy()
    tools = _tools(options)
    largest = max(options.growth, default=0)
    works = make_class(course, max(options.submissions, largest))
    gradings = compare(course, works[: options.submissions], tools, options.rounds, "comparison")
    _print("The same submissions and checks", cost_table(gradings))
    _print("Ratios, medians of those within a round", ratio_table(gradings))
    parts = {}
    if options.apart > 1:
        parts = costs_apart(course, works[: options.apart], tools)
        _print(f"Three costs apart, {options.apart} submissions", cost_parts_table(parts))
    growth = grow(course, works, options.growth)
    if growth:
        _print("Growth", cost_table(growth))
    busy = []
    if options.busy:
        with busy_machine():
            busy = compare(course, works[: options.submissions], tools, 1, "busy")
        _print(f"Beside {BUSY_PROCESSES} busy processes", cost_table(busy))
    targets = judge(gradings, busy)
    if not options.only or "ours" in options.only:
        targets += Waits(make_class(course, options.kept), options.rounds).targets()
    _print("Targets", target_table(targets))
    write_json(options.json, where, [*gradings, *growth, *busy], parts, targets)
    print(f"\nEverything: {options.json}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="6 submissions, one round, no growth")
    parser.add_argument("--full", action="store_true", help="growth up to 1,000 submissions")
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--apart", type=int, default=8, help="submissions for the costs apart")
    parser.add_argument("--only", action="append", choices=TOOLS)
    parser.add_argument(
        "--busy", action="store_true", help="once more, beside processes that compute"
    )
    parser.add_argument("--json", type=Path, default=CACHE / "results.json")
    options = parser.parse_args()
    options.growth = [10, 200, 1000] if options.full else [10, 200]
    options.busy |= options.full
    options.kept = KEPT
    if options.quick:
        options.submissions, options.rounds, options.apart, options.growth = 6, 1, 2, []
        options.kept = 12
    return options


def _warn_if_busy() -> None:
    cores = usable_cores()
    if os.getloadavg()[0] > BUSY * cores:
        print(
            f"warning: the load is {os.getloadavg()[0]:.1f} on {cores} cores before anything runs:"
            " compare within this run only, and quote nothing",
            file=sys.stderr,
        )


def _tools(options: argparse.Namespace) -> list[Tool]:
    """Those that were asked for and can be had."""
    at_once = sorted({1, usable_cores()})
    makers: dict[str, list[Callable[[], Tool]]] = {
        "ours": [partial(Ours, jobs) for jobs in at_once],
        "bare": [Bare],
        "nbgrader": [Nbgrader],
        "engine": [NbgraderWithEngine],
        "otter": [partial(Otter, jobs) for jobs in at_once],
    }
    tools = []
    for name, made in makers.items():
        if options.only and name not in options.only:
            continue
        try:
            tools += [make() for make in made]
        except NotInstalled as error:
            print(f"warning: {name} is left out: {error}", file=sys.stderr)
    return tools


# ---------------------------------------------------------------- experiments


def compare(
    course: Course, works: Sequence[Work], tools: Sequence[Tool], rounds: int, experiment: str
) -> list[Grading]:
    """Every tool in every round, in turn: a machine that slows down slows all of them.

    Scores are compared with those of the first tool in the round. A tool that fails is left out
    from there on, and said to be.
    """
    folders = {tool: folder for tool in tools if (folder := _prepared(tool, course, works))}
    gradings = []
    for number in range(1, rounds + 1):
        expected: Scores | None = None
        for tool, folder in list(folders.items()):
            print(f"{experiment}, round {number} of {rounds}: {tool.name}", file=sys.stderr)
            try:
                cost, scores = tool.grade(folder)
            except CommandFailed as error:
                print(f"warning: {tool.name} is left out: {error}", file=sys.stderr)
                del folders[tool]
                continue
            expected = scores if expected is None else expected
            differs = sum(not _agree(scores, expected, work.student) for work in works)
            gradings.append(
                Grading(experiment, tool.name, number, len(works), cost, len(scores), differs)
            )
    return gradings


def _prepared(tool: Tool, course: Course, works: Sequence[Work]) -> Path | None:
    folder = emptied(CACHE / "runs" / re.sub(r"\W+", "_", tool.name))
    try:
        tool.prepare(course, works, folder)
    except CommandFailed as error:
        print(f"warning: {tool.name} is left out: {error}", file=sys.stderr)
        return None
    return folder


def _agree(scores: Scores, expected: Scores, student: str) -> bool:
    return abs(scores.get(student, math.nan) - expected.get(student, math.nan)) <= TOLERANCE


def costs_apart(
    course: Course, works: Sequence[Work], tools: Sequence[Tool]
) -> dict[str, dict[str, float]]:
    """What is paid once, what a notebook costs and what its checks cost, in wall seconds.

    One check that costs nothing, on one submission and on all, tells the first two apart; the
    difference to all the checks is the third. Differences of noisy figures are noisier still.
    """
    one = load_course(ONE_CHECK)
    walls = [
        {grading.tool: grading.cost.wall_s for grading in compare(*case, tools, 1, experiment)}
        for experiment, case in (
            ("one check, one submission", (one, works[:1])),
            ("one check", (one, works)),
            ("all checks", (course, works)),
        )
    ]
    parts = {}
    for tool in walls[2]:
        if all(tool in wall for wall in walls):
            single, cheap, whole = (wall[tool] for wall in walls)
            notebook = (cheap - single) / (len(works) - 1)
            parts[tool] = {
                "start": single - notebook,
                "notebook": notebook,
                "checks": (whole - cheap) / len(works),
            }
    return parts


def grow(course: Course, works: Sequence[Work], sizes: Sequence[int]) -> list[Grading]:
    """Ours on every core, for classes of these sizes."""
    tool = Ours(usable_cores())
    return [
        grading
        for size in sizes
        for grading in compare(course, works[:size], [tool], 1, f"growth, {size} submissions")
    ]


def judge(gradings: Sequence[Grading], busy: Sequence[Grading]) -> list[Target]:
    """Compare what was measured with what is aimed at.

    Args:
        gradings: on a quiet machine.
        busy: the same beside processes that compute; empty if not measured.
    """
    cores = usable_cores()
    ours, both = Ours(cores).name, Otter.called(cores)

    def paces(peer: str, measured: Sequence[Grading]) -> float | None:
        return ratio(measured, ours, peer, "per_minute")

    targets = [
        at_least(f"throughput over `{peer}`", least, paces(peer, gradings))
        for peer, least in {Nbgrader.name: 30, Otter.called(): 40, both: 20}.items()
    ]
    for peer in (Nbgrader.name, both):
        quiet, loaded = paces(peer, gradings), paces(peer, busy)
        kept = loaded / quiet if quiet and loaded else None
        targets.append(at_least(f"of that over `{peer}`, left on a busy machine", 0.8, kept))
    stock = ratio(gradings, NbgraderWithEngine.name, Nbgrader.name, "per_minute")
    cpu = ratio(gradings, ours, Bare.name, "cpu_s")
    peak = median([grading.cost.peak_bytes for grading in gradings if grading.tool == ours])
    return [
        *targets,
        at_least(f"throughput of `{NbgraderWithEngine.name}` over stock", 20, stock),
        at_most(f"processor time over `{Bare.name}`", 1.15, cpu),
        at_most(f"MiB of `{ours}`", 400, None if peak is None else peak / 2**20),
    ]


def _print(title: str, text: str) -> None:
    print(f"\n{title}\n\n{text}", flush=True)


if __name__ == "__main__":
    main()
