"""What was measured, as a table for people and a file for machines."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.accounting import Cost
from benchmarks.environments import PEERS, ROOT
from grader.judging.engine import usable_cores


@dataclass(frozen=True)
class Grading:
    """One tool grading `submissions` notebooks once; `differs` counts scores unlike ours."""

    experiment: str
    tool: str
    round: int
    submissions: int
    cost: Cost
    graded: int
    differs: int

    @property
    def per_minute(self) -> float:
        """Throughput, in submissions."""
        return 60 * self.submissions / self.cost.wall_s


@dataclass(frozen=True)
class Target:
    """What is aimed at, and what came of it. `reached` is None when it was not measured."""

    name: str
    wanted: str
    measured: float | None
    reached: bool | None


def at_most(name: str, most: float, measured: float | None) -> Target:
    """A figure that is to be no larger."""
    reached = None if measured is None else measured <= most
    return Target(name, f"<= {most:g}", measured, reached)


def at_least(name: str, least: float, measured: float | None) -> Target:
    """A figure that is to be no smaller."""
    reached = None if measured is None else measured >= least
    return Target(name, f">= {least:g}", measured, reached)


def median(values: Sequence[float | None]) -> float | None:
    """The median of what could be measured."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def machine() -> dict[str, Any]:
    """Where and with what: a figure without these means nothing."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "processor": _processor(),
        "cores": usable_cores(),
        "system": platform.platform(),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "pytest", "walled-grader")},
        "peers": PEERS,
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


# ---------------------------------------------------------------- tables


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns in line: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def number(value: float | None, digits: int = 2) -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def by_tool(gradings: Sequence[Grading]) -> dict[tuple[str, int], list[Grading]]:
    """The rounds of each tool at each size, in the order of the first."""
    groups: dict[tuple[str, int], list[Grading]] = {}
    for grading in gradings:
        groups.setdefault((grading.tool, grading.submissions), []).append(grading)
    return groups


def cost_table(gradings: Sequence[Grading]) -> str:
    """Medians over the rounds, per tool and size."""
    head = ["tool", "graded", "per minute", "wall s each", "CPU s each", "peak MiB", "first s"]
    rows = [[*head, "scores unlike ours"]]
    for (tool, size), rounds in by_tool(gradings).items():
        cpu = median([grading.cost.cpu_s for grading in rounds])
        peak = median([grading.cost.peak_bytes for grading in rounds])
        row = [
            tool,
            f"{rounds[-1].graded}/{size}",
            number(median([grading.per_minute for grading in rounds]), 1),
            number(median([grading.cost.wall_s / size for grading in rounds])),
            number(None if cpu is None else cpu / size),
            number(None if peak is None else peak / 2**20, 0),
            number(median([grading.cost.first_s for grading in rounds])),
            str(max(grading.differs for grading in rounds)),
        ]
        rows.append(row)
    return table(rows)


def ratio(gradings: Sequence[Grading], over: str, under: str, value: str) -> float | None:
    """The median over the rounds of one tool's figure divided by another's in the same round."""
    figures: dict[tuple[str, int], float | None] = {
        (g.tool, g.round): g.per_minute if value == "per_minute" else getattr(g.cost, value)
        for g in gradings
    }
    quotients = []
    for (tool, number_), figure in figures.items():
        divisor = figures.get((under, number_))
        if tool == over and figure is not None and divisor:
            quotients.append(figure / divisor)
    return median(quotients)


def ratio_table(gradings: Sequence[Grading]) -> str:
    """Throughput of the row's tool over that of the column's."""
    tools = list(dict.fromkeys(grading.tool for grading in gradings))
    rows = [["throughput over that of", *tools]]
    for over in tools:
        quotients = (ratio(gradings, over, under, "per_minute") for under in tools)
        rows.append([over, *(number(quotient, 1) for quotient in quotients)])
    return table(rows)


def target_table(targets: Sequence[Target]) -> str:
    """What was aimed at, and what came of it."""
    words = {True: "reached", False: "MISSED", None: "not measured"}
    rows = [["target", "wanted", "measured", ""]]
    rows += [[t.name, t.wanted, number(t.measured), words[t.reached]] for t in targets]
    return table(rows)


def cost_parts_table(parts: Mapping[str, Mapping[str, float]]) -> str:
    """Start, notebook and checks of each tool, in wall seconds."""
    rows = [["wall seconds", "start, once", "notebook, each", "checks, each"]]
    for tool, part in parts.items():
        rows.append([tool, *(number(part[key]) for key in ("start", "notebook", "checks"))])
    return table(rows)


# ---------------------------------------------------------------- file


def write_json(
    path: Path,
    where: Mapping[str, Any],
    gradings: Sequence[Grading],
    parts: Mapping[str, Mapping[str, float]],
    targets: Sequence[Target],
) -> None:
    """Everything that was measured, each grading by itself."""
    content = {
        "machine": {**where, "load_after": os.getloadavg()[0]},
        "gradings": [asdict(grading) for grading in gradings],
        "wall_s_apart": parts,
        "targets": [asdict(target) for target in targets],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
