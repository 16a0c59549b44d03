"""A class as it comes: a few loop for ever, hog memory or crash; everybody gets what is deserved.

    python -m benchmarks.troubled                     300 submissions, two at once
    python -m benchmarks.troubled --size 60 --timeout 3

Half of the trouble is in a cell of its own before right answers, which then deserve full marks; the
other half is in one answer, which deserves what it would if that answer ended the program at once.
Memory is refused with an exception, which a check may survive: whether that comes before the
check's time is over is up to the machine, so a hog may get what lies between the one and the other.
Ends with status 1 when anybody gets something else. docs/benchmarks.md says more.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.accounting import Cost, measure
from benchmarks.classroom import ASSIGNMENT, Work, make_class, write_plain
from benchmarks.environments import ROOT
from benchmarks.report import machine, number, table
from benchmarks.tools import quiet_environment
from grader.config.course import load_course

# what a student's program does, and how many of a hundred do it
TROUBLES = {
    "loop": ("while True: pass", 5),
    "hog": ("hoard = []\nwhile True: hoard.append(bytearray(1 << 24))", 2),
    "crash": ("import ctypes\nctypes.string_at(0)", 1),
}
# what deserves the same, and takes nobody's time: the least and the most that an answer deserves
CALM_CELL = "raise RuntimeError"
CALM_ANSWERS = {
    "least": dict.fromkeys(TROUBLES, "import os\nos._exit(1)"),
    "most": dict.fromkeys(TROUBLES, "import os\nos._exit(1)") | {"hog": "raise MemoryError"},
}

IN_AN_ANSWER = """
class LearnedPositionalEmbedding(LearnedPositionalEmbedding):
    def forward(self, *arguments, **named):
{body}
"""

Result = Mapping[str, Any]
Points = Mapping[str, float]


def main() -> int:
    options = _options()
    course = load_course(ROOT)
    plain = make_class(course, options.size)
    works = with_trouble(plain)
    twins = {
        name: one_of_each(with_trouble(plain, calm=calm)) for name, calm in CALM_ANSWERS.items()
    }
    with tempfile.TemporaryDirectory(prefix="troubled-") as name:
        folder = Path(name)
        calm = {name: _by_kind(them, folder / name, options) for name, them in twins.items()}
        cost, results = _grade(works, folder / "class", options)
    least, most = calm["least"], calm["most"]
    wrong = [
        work
        for work in works
        if not deserves(_got(results, work), least[work.kind], most[work.kind])
    ]
    print(f"\n{_table_by_kind(works, results, wrong)}\n\n{_totals(cost, len(works), options.jobs)}")
    where = machine()
    print(f"{where['processor']}, {where['cores']} cores, load before {where['load_before']:.1f}")
    for work in wrong:
        print(f"{work.student} ({work.kind}): {_got(results, work)}")
        print(f"    at least {least[work.kind]}, at most {most[work.kind]}")
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.troubled", description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, help="seconds per cell and check, if not ours")
    return parser.parse_args()


# ---------------------------------------------------------------- the class


def with_trouble(plain: Sequence[Work], *, calm: Mapping[str, str] | None = None) -> list[Work]:
    """Put trouble into some right submissions, spread over the class.

    Args:
        plain: the class without trouble.
        calm: instead of trouble, what deserves the same in an answer and harms nobody.
    """
    right = next(work for work in plain if work.kind == "reference")
    kinds = [
        (name, source, place)
        for name, (source, share) in TROUBLES.items()
        for place in range(max(2, len(plain) * share // 100))
    ]
    works = list(plain)
    for position, (name, source, place) in enumerate(kinds):
        seat = (2 * position + 1) * len(plain) // (2 * len(kinds))
        student = plain[seat].student
        comment = f"# {seat}"  # no two files are alike
        if place % 2:
            trouble = calm[name] if calm else source
            body = "\n".join(" " * 8 + line for line in trouble.splitlines())
            cells = (comment, *right.cells, IN_AN_ANSWER.format(body=body))
        else:
            cells = (comment, CALM_CELL if calm else source, *right.cells)
        where = "in an answer" if place % 2 else "in a cell"
        works[seat] = Work(student, f"{name} {where}", cells)
    return works


def one_of_each(works: Sequence[Work]) -> list[Work]:
    """The first submission of each kind."""
    first: dict[str, Work] = {}
    for work in works:
        first.setdefault(work.kind, work)
    return list(first.values())


# ---------------------------------------------------------------- grading


def _grade(
    works: Sequence[Work], folder: Path, options: argparse.Namespace
) -> tuple[Cost, dict[str, Result]]:
    write_plain(works, folder / "submissions")
    grader = Path(sys.executable).with_name("grader")
    command = [str(grader), "check", "submissions", "--assignment", ASSIGNMENT, "--quiet"]
    command += ["--course", str(ROOT), "--output", "reports", "--jobs", str(options.jobs)]
    if options.timeout:
        command += ["--timeout", str(options.timeout)]
    cost = measure(command, log=folder / "log", cwd=folder, env=quiet_environment())
    book = json.loads((folder / "reports/gradebook.json").read_text(encoding="utf-8"))
    seconds = book["run"]["seconds_per_submission"]
    return cost, {
        score["student"]: {**score, "seconds": seconds[f"{score['student']}/{ASSIGNMENT}"]}
        for score in book["scores"]
    }


def _by_kind(works: Sequence[Work], folder: Path, options: argparse.Namespace) -> dict[str, Points]:
    """What a submission of each kind gets."""
    _, results = _grade(works, folder, options)
    return {work.kind: _got(results, work) for work in works}


def _got(results: Mapping[str, Result], work: Work) -> Points:
    points: Points = results[work.student]["questions"]
    return points


def deserves(points: Points, least: Points, most: Points) -> bool:
    """Whether the points of each question lie between the least and the most for it."""
    return points.keys() == least.keys() and all(
        least[question] <= got <= most[question] for question, got in points.items()
    )


# ---------------------------------------------------------------- tables


def _table_by_kind(
    works: Sequence[Work], results: Mapping[str, Result], wrong: Sequence[Work]
) -> str:
    groups: dict[str, list[Work]] = {"right or wrong, no trouble": []}
    for work in works:
        troubled = work.kind.split(" in ")[0] in TROUBLES
        groups.setdefault(work.kind if troubled else "right or wrong, no trouble", []).append(work)
    rows = [["submissions", "number", "mean s", "longest s", "ended by", "not as deserved"]]
    for kind, members in groups.items():
        seconds = [results[work.student]["seconds"] for work in members]
        endings = sorted({results[work.student]["ending"]["kind"] for work in members})
        row = [kind, str(len(members)), number(sum(seconds) / len(seconds)), number(max(seconds))]
        rows.append([*row, "/".join(endings), str(sum(work in wrong for work in members))])
    return table(rows)


def _totals(cost: Cost, size: int, jobs: int) -> str:
    peak = None if cost.peak_bytes is None else cost.peak_bytes / 2**20
    return (
        f"{size} submissions, {jobs} at once: {number(cost.wall_s, 0)} s, "
        f"{number(cost.cpu_s, 0)} s of processor time, "
        f"at most {number(peak, 0)} MiB in all processes together"
    )


if __name__ == "__main__":
    sys.exit(main())
