"""What the strict gate adds, in a terminal: promises, generated mutants, partial work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.authoring.partial import PartialReport, PartialResult, Variant
from grader.authoring.strict import Fate, GeneratedReport, StrictGate
from grader.authoring.tables import Finding
from grader.authoring.verify import AssignmentGate


def print_strict(gate: AssignmentGate, out: Console, *, quiet: bool = False) -> None:
    """Print an assignment's table of partial work and its survivors, then every finding."""
    strict = gate.strict
    if strict is None:
        return
    if strict.partial is not None and not quiet:
        out.print(_partial_table(gate, strict.partial))
    if strict.generated is not None:
        _print_survivors(out, gate, strict.generated)
    _print_findings(out, gate, strict.findings)


DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def strict_summary(strict: StrictGate) -> list[str]:
    """The figures of the strict gate, in a few words each."""
    parts = []
    if strict.promises is not None:
        parts.append(f"{strict.promises.checked} promises, {strict.promises.free} free sentences")
    if strict.generated is not None:
        report = strict.generated
        parts.append(
            f"{len(report.results)} generated mutants: {report.count(Fate.KILLED)} killed, "
            f"{report.count(Fate.EQUIVALENT)} equivalent, {report.count(Fate.SURVIVES)} survive "
            f"({report.share:.1%})" + (f", {report.left_out} not tried" if report.left_out else "")
        )
    if strict.partial is not None:
        stubs = len({one.stub for one in strict.partial.results})
        parts.append(f"{stubs} stubs unsolved in {len(strict.partial.results)} ways")
    return parts


def _partial_table(gate: AssignmentGate, report: PartialReport) -> Table:
    title = f"{gate.assignment}: what is left when one stub is unsolved"
    table = Table(title=title, box=None, pad_edge=False)
    table.add_column("unsolved", no_wrap=True)
    for variant in Variant:
        table.add_column(variant.value, justify="right", no_wrap=True)
    table.add_column("also lost")
    by_stub: dict[str, dict[Variant, PartialResult]] = {}
    for one in report.results:
        by_stub.setdefault(one.stub, {})[one.variant] = one
    for stub, results in by_stub.items():
        row = [_worth(results[variant]) for variant in Variant]
        table.add_row(Text(stub), *row, _also_lost(results))
    return table


def _worth(result: PartialResult) -> Text:
    return Text(f"{result.earned:g}", "bold red" if result.unexpected else "")


def _also_lost(results: dict[Variant, PartialResult]) -> Text:
    """The questions beyond a stub's own: unexplained ones marked."""
    lost = {name for one in results.values() for name in one.lost if name not in one.own}
    wrong = {name for one in results.values() for name in one.unexpected}
    text = Text()
    for name in sorted(lost):
        text.append(", " if text else "")
        text.append(f"!{name}" if name in wrong else name, "bold red" if name in wrong else "")
    return text


def _print_survivors(out: Console, gate: AssignmentGate, report: GeneratedReport) -> None:
    """Print each mutant that no check notices as a diff, and how to settle it."""
    for one in report.results:
        if one.fate is not Fate.SURVIVES:
            continue
        line = Text(f"? {gate.assignment}: {one.id} survives: ", "yellow")
        line.append(_shown(one.where) if one.where else one.change, "bold default")
        out.print(line, soft_wrap=True)
        for text in one.diff.splitlines()[2 * one.diff.startswith("--- ") :]:
            out.print(Text(f"    {text}", DIFF_STYLES.get(text[:1], "")), soft_wrap=True)
        command = f'grader verify -a {gate.assignment} --accept {one.id} --reason "…"'
        out.print(Text(f"  nobody could notice it? {command}", "dim"), soft_wrap=True)
    if report.count(Fate.SURVIVES):
        told = (
            "  Somebody should notice one? Write a check that fails it; --write-mutant instead of"
            " --accept, with --loses QUESTION, puts it among your own mutants."
        )
        out.print(Text(told, "dim"), soft_wrap=True)


def _print_findings(out: Console, gate: AssignmentGate, findings: Sequence[Finding]) -> None:
    """Print what is not accepted, under the file that it is to be mended in."""
    mark, style = ("✗", "bold red") if gate.demanding else ("!", "yellow")
    place = ""
    for finding in findings:
        if finding.where != place:
            place = finding.where
            told = "" if gate.demanding else " (--strict fails for this)"
            out.print(Text(f"{gate.assignment}, {_shown(place)}{told}:", "bold"), soft_wrap=True)
        line = Text(f"  {mark} {finding.what}", style)
        out.print(line.append(f": {finding.hint}", "not bold default"), soft_wrap=True)


def _shown(place: str) -> str:
    """A path as seen from here, where that is shorter."""
    try:
        return str(Path(place).relative_to(Path.cwd()))
    except (OSError, ValueError):
        return place
