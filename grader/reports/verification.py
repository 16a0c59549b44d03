"""The gate's result in a terminal: the kill matrix, then what failed and why."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.authoring.cases import Kind
from grader.authoring.verify import AssignmentGate, Case, Verdict, Verification
from grader.reports.strict_gate import print_strict, strict_summary
from grader.reports.terminal import console

LOST, KEPT, WRONG = "✗", "·", "!"


def print_verification(
    result: Verification, *, quiet: bool = False, out: Console | None = None
) -> None:
    """Print a matrix for each assignment, mutants × questions, and every failure in a sentence."""
    out = out or console()
    for gate in result.gates:
        if gate.cases and not quiet:
            out.print(_matrix(gate))
        _print_failures(out, gate)
        _print_unproven(out, gate, quiet=quiet)
        print_strict(gate, out, quiet=quiet)
        out.print(_summary(gate))
        if not quiet:
            _print_next(out, gate)


def _matrix(gate: AssignmentGate) -> Table:
    table = Table(title=f"{gate.assignment}: what each case loses", box=None, pad_edge=False)
    table.add_column("case", no_wrap=True)
    for question in gate.questions:
        table.add_column(question, justify="center")
    table.add_column("verdict")
    for case in gate.cases:
        if case.origin and case.verdict is Verdict.OK:
            continue  # bugs of other assignments that cost nothing here are counted, not listed
        style = "" if case.verdict is Verdict.OK else "bold red"
        marks = [_mark(case, question) for question in gate.questions]
        table.add_row(Text(_name(case), style), *marks, Text(_verdict(case), style))
    return table


def _mark(case: Case, question: str) -> Text:
    lost = question in case.lost
    if case.kind is Kind.FAKE:  # which points it earns does not matter, but how many
        return Text(LOST if lost else KEPT, "" if lost else "yellow")
    expected = question in case.must_lose or case.kind is Kind.TEMPLATE
    if lost != expected:
        return Text(f"{WRONG}{LOST if lost else KEPT}", "bold red")
    return Text(LOST if lost else KEPT, "" if lost else "dim")


def _verdict(case: Case) -> str:
    if case.at_most is None:
        return case.verdict.value
    return f"{case.verdict.value}: {case.earned:g} of at most {case.at_most:g} points"


def _name(case: Case) -> str:
    if case.kind is Kind.REFERENCE and case.seed:
        return f"reference, seed {case.seed}"
    if case.kind in (Kind.STYLE, Kind.FAKE):
        return f"{case.kind.value} {case.name}"
    return f"{case.name} ({case.origin})" if case.origin else case.name


def _print_failures(out: Console, gate: AssignmentGate) -> None:
    for case in gate.cases:
        if case.verdict is not Verdict.OK:
            line = Text(f"✗ {_name(case)}: {case.verdict.value}", "bold red")
            line.append(f": {case.explanation}", "not bold")
            if case.bug:
                what = "it pretends" if case.kind is Kind.FAKE else "its bug"
                line.append(f" ({what}: {case.bug})", "not bold dim")
            out.print(line, soft_wrap=True)


def _print_unproven(out: Console, gate: AssignmentGate, *, quiet: bool) -> None:
    """Name the checks that no mutant fails, unless there is no mutant at all."""
    if not gate.demanding and (quiet or not _has_mutants(gate)):
        return
    mark, style = ("✗", "bold red") if gate.demanding else ("!", "yellow")
    for check in gate.unproven:
        line = Text(f"{mark} {check}: unproven check", style)
        out.print(line.append(": no mutant fails it", "not bold default"), soft_wrap=True)


def _has_mutants(gate: AssignmentGate) -> bool:
    generated = gate.strict and gate.strict.generated and gate.strict.generated.results
    return bool(gate.mutants or generated)


def _print_next(out: Console, gate: AssignmentGate) -> None:
    """Say what would make a gate that passes worth more."""
    if not gate.passed or not gate.cases:
        return
    if not gate.unproven:
        _print_beyond(out, gate)
        return
    number = len(gate.unproven)
    checks = "1 check" if number == 1 else f"{number} checks"
    command = f"grader verify -a {gate.assignment} --generate"
    if not _has_mutants(gate):
        lines = [
            "Right answers earn all, the empty notebook nothing. No wrong answer was tried yet:",
            f"nobody knows whether the {checks} would notice one. Have some made and tried:",
            f"  {command}",
        ]
    elif gate.strict is None or gate.strict.generated is None:
        lines = [
            f"{checks} passed whatever was tried: write down the mistake that each is there for,",
            f"or have some made: {command}",
        ]
    else:
        lines = [
            f"{checks} passed whatever was tried: write down the mistake that each is there for,",
            "as docs/write-a-course.md shows.",
        ]
    for line in lines:
        out.print(Text(f"  {line}", "dim"), soft_wrap=True)


def _print_beyond(out: Console, gate: AssignmentGate) -> None:
    """Say what the strict gate would ask for."""
    if gate.unpromised:
        some = "1 sentence" if gate.unpromised == 1 else f"{gate.unpromised} sentences"
        told = f"  {some} of the docstrings nobody is held to yet: {_strictly(gate)} asks for it"
        out.print(Text(told, "dim"), soft_wrap=True)


def _strictly(gate: AssignmentGate) -> str:
    return f"grader verify -a {gate.assignment} --strict"


def _summary(gate: AssignmentGate) -> Text:
    mark, style = ("✓", "bold green") if gate.passed else ("✗", "bold red")
    word = "passes" if gate.passed else "fails"
    parts = _tried(gate) if gate.cases else []
    if gate.strict is not None:
        parts += strict_summary(gate.strict)
    if gate.unproven:
        parts.append(f"{len(gate.unproven)} of its checks unproven")
    return Text(f"{mark} {gate.assignment} {word}: {', '.join(parts)}", style)


def _tried(gate: AssignmentGate) -> list[str]:
    count = {kind: sum(case.kind is kind for case in gate.cases) for kind in Kind}
    elsewhere = sum(bool(case.origin) for case in gate.cases)
    parts = [
        f"reference {count[Kind.REFERENCE]}×",
        "template",
        f"{count[Kind.STYLE]} styles",
        f"{count[Kind.FAKE]} fakes",
        f"{count[Kind.MUTANT] - elsewhere} mutants",
    ]
    if elsewhere:
        parts.append(f"{elsewhere} mutants of other assignments")
    return parts
