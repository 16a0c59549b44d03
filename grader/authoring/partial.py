"""Partial work: each stub of a notebook left unsolved in each of the usual ways, the rest right.

A stub is a function that students write, or a whole answer where that has several. What is not
solved costs the questions that ask for it, and no other: what else must be lost is said in
`partial.toml`, in the folder beside the lesson that is called like it:

    [asks]
    "TokenEmbedding" = ["scale"]             # the questions about this stub, and about those in it
    "TokenEmbedding.forward" = ["scale"]

    [[lost]]
    stub = "TokenEmbedding"
    variants = ["left out"]                  # all of them when none is named
    questions = ["shapes"]
    reason = "TransformerEmbedding is built of it, and the text asks to use it"

An honest gap (`raise NotImplementedError`, or left out) never costs more than a wrong answer.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from grader.authoring.answers import leave_out
from grader.authoring.lessons import Lesson
from grader.authoring.release import answer_id, build_notebook, code_cells
from grader.authoring.tables import Entry, Finding, read_table, table_path
from grader.config.course import Course
from grader.errors import ReleaseError
from grader.model import Cell, Value


class Variant(enum.StrEnum):
    """How a stub is left unsolved."""

    RAISES = "raises"
    RETURNS_NONE = "returns None"
    PASSES = "pass"
    WRONG_SHAPE = "wrong shape"
    LEFT_OUT = "left out"


HONEST = (Variant.RAISES, Variant.LEFT_OUT)

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Gap(Value, frozen=True):
    """A notebook in which one stub is unsolved.

    Attributes:
        stub: `FeedForward` for a whole answer, `FeedForward.forward` for a function of it.
        variants: the ways of leaving it unsolved that come to this very text.
        cells: the notebook's.
    """

    stub: str
    variants: tuple[Variant, ...]
    cells: tuple[Cell, ...]


class Lost(Value, frozen=True, forbid_unknown_fields=True):
    """Questions that a gap costs although they do not ask for its stub, and why that must be."""

    stub: str
    questions: tuple[str, ...]
    reason: str = ""
    variants: tuple[Variant, ...] = ()


class PartialTable(Value, frozen=True, forbid_unknown_fields=True):
    """What authors say about half-finished work. `asks`: the questions that ask for each stub."""

    asks: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    lost: tuple[Lost, ...] = ()

    def own(self, stub: str) -> tuple[str, ...]:
        """The questions that ask for a stub: its own entry's, or those of the answer it is in."""
        return self.asks.get(stub, self.asks.get(stub.partition(".")[0], ()))


class PartialResult(Value, frozen=True):
    """What a gap was worth.

    Attributes:
        lost: the questions without the reference's points.
        own: those that ask for the stub.
        unexpected: those lost for no reason that anybody gave.
    """

    stub: str
    variant: Variant
    earned: float
    possible: float
    lost: tuple[str, ...]
    own: tuple[str, ...]
    unexpected: tuple[str, ...] = ()


class PartialReport(Value, frozen=True):
    """What became of an assignment's partial work."""

    results: tuple[PartialResult, ...]
    findings: tuple[Finding, ...]


def load_partial(lesson: Lesson) -> PartialTable | None:
    """Read what partial work must lose; None without a table.

    Raises:
        SuiteError: the table is malformed.
    """
    return read_table(table_path(lesson, "partial"), PartialTable)


# ---------------------------------------------------------------- the notebooks


def gaps(course: Course, lesson: Lesson, sources: Mapping[str, str]) -> tuple[Gap, ...]:
    """Every notebook with one stub unsolved, those with the same text once."""
    notebook = build_notebook(lesson.path, course, None, solved=True)
    wrong = _wrong_value(lesson)
    given = {cell.solution: cell.given for cell in lesson.cells if cell.solution}
    found: list[Gap] = []
    for answer, source in sources.items():
        place = answer_id(lesson, answer)
        for stub in stubs(answer, source, given.get(answer, ())):
            texts: dict[str, list[Variant]] = {}
            for variant in Variant:
                text = unsolved(source, stub, variant, wrong, given.get(answer, ()))
                texts.setdefault(text, []).append(variant)
            for text, variants in texts.items():
                cells = [
                    {**cell, "source": text} if cell["id"] == place else cell
                    for cell in notebook["cells"]
                ]
                made = code_cells({**notebook, "cells": cells})
                found.append(Gap(stub, tuple(variants), made))
    return tuple(found)


def stubs(answer: str, source: str, given: Sequence[str] = ()) -> list[str]:
    """The stubs of an answer: the whole of it, and each function that students write in it."""
    names = [name for name, _ in _functions(source) if not _is_given(name, given)]
    return list(dict.fromkeys([answer, *names])) if len(names) > 1 else [answer]


def unsolved(
    source: str, stub: str, variant: Variant, wrong: str = "0", given: Sequence[str] = ()
) -> str:
    """An answer's text with one of its stubs unsolved.

    Args:
        source: the right answer.
        stub: the whole answer's name, or that of one of its functions.
        variant: how.
        wrong: an expression for something of the wrong shape.
        given: functions that students get as they are.
    """
    functions = [name for name, _ in _functions(source)]
    whole = stub not in functions or len(functions) == 1
    chosen = [name for name in functions if not _is_given(name, given)] if whole else [stub]
    if variant is Variant.LEFT_OUT:
        return "" if whole else _without(source, stub)
    tree = ast.parse(source)
    if variant is Variant.PASSES and whole:
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                node.body = [ast.Pass()]
    for name, function in _functions_of(tree):
        if name in chosen:
            function.body = _body(function, variant, wrong)
    return ast.unparse(tree)


def _as_many(function: Function, wrong: str) -> str:
    """As many wrong values as a function says that it returns."""
    returns = function.returns
    if (
        isinstance(returns, ast.Subscript)
        and isinstance(returns.value, ast.Name)
        and returns.value.id == "tuple"
        and isinstance(returns.slice, ast.Tuple)
    ):
        return f"({', '.join([wrong] * len(returns.slice.elts))})"
    return wrong


def _without(source: str, function: str) -> str:
    try:
        return leave_out(source, [function])
    except ReleaseError:  # a class with nothing else in it
        tree = ast.parse(source)
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                node.body = [ast.Pass()]
        return ast.unparse(tree)


def _body(function: Function, variant: Variant, wrong: str) -> list[ast.stmt]:
    if variant is Variant.RAISES:
        text = "raise NotImplementedError()"
    elif variant is Variant.WRONG_SHAPE:
        starts = function.name == "__init__"
        text = "super().__init__()" if starts else f"return {_as_many(function, wrong)}"
    else:
        text = "return None"
    return ast.parse(text).body


def _functions(source: str) -> Iterator[tuple[str, Function]]:
    return _functions_of(ast.parse(source))


def _functions_of(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Functions and methods, without those inside functions."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for child in node.body:
                if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield f"{node.name}.{child.name}", child


def _is_given(name: str, given: Sequence[str]) -> bool:
    return bool({name, name.rpartition(".")[2]} & set(given))


def _wrong_value(lesson: Lesson) -> str:
    """Zeros of a wrong shape, of the library that the lesson uses.

    The shape fits into any sum: what comes after them goes on, and some checks may even pass.
    """
    code = "\n".join(cell.source for cell in lesson.cells if cell.kind == "code")
    for line in ("import torch", "import numpy"):
        if line in code:
            return f"__import__({line.split()[1]!r}).zeros(1)"
    return "[0]"


# ---------------------------------------------------------------- what they must be worth


def judge_partial(
    lesson: Lesson, questions: Sequence[str], results: Sequence[PartialResult]
) -> PartialReport:
    """Compare what gaps cost with what the table says.

    Args:
        lesson: whose table.
        questions: the ids of its questions.
        results: what each gap lost; `unexpected` is filled in here.

    Raises:
        SuiteError: the table is malformed.
    """
    where = str(table_path(lesson, "partial"))
    table = load_partial(lesson)
    if table is None:
        hint = f"`grader verify {lesson.assignment} --write-tables` writes one to fill in"
        missing = Finding("no table of partial work", where, hint)
        judged = tuple(_with_reasons(one, PartialTable()) for one in results)
        return PartialReport(judged, (missing, *_dishonest(where, judged)))
    judged = tuple(_with_reasons(one, table) for one in results)
    findings = [*_wrong_names(table, where, questions, results)]
    for (stub, lost), variants in _unexplained(judged).items():
        what = f"`{stub}` unsolved ({', '.join(variants)}) costs {', '.join(lost)}"
        hint = "let these checks do without it, or give the reason in a [[lost]] entry"
        findings.append(Finding(what, where, hint))
    findings += _without_loss(table, where, judged)
    findings += _dishonest(where, judged)
    return PartialReport(judged, tuple(findings))


def missing_losses(lesson: Lesson, results: Sequence[PartialResult]) -> list[Entry]:
    """An entry without a reason for what gaps cost and no table explains, ways alike in one."""
    table = load_partial(lesson) or PartialTable()
    judged = [_with_reasons(result, table) for result in results]
    return [
        {"stub": stub, "variants": variants, "questions": list(questions), "reason": ""}
        for (stub, questions), variants in _unexplained(judged).items()
    ]


def _unexplained(results: Sequence[PartialResult]) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    """The ways of leaving a stub unsolved that cost the same for no reason that anybody gave."""
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in results:
        if one.unexpected:
            together.setdefault((one.stub, one.unexpected), []).append(one.variant.value)
    return together


def _with_reasons(result: PartialResult, table: PartialTable) -> PartialResult:
    own = table.own(result.stub)
    excused = {
        question
        for one in table.lost
        if one.stub == result.stub and (not one.variants or result.variant in one.variants)
        for question in one.questions
    }
    unexpected = tuple(name for name in result.lost if name not in own and name not in excused)
    return msgspec.structs.replace(result, own=own, unexpected=unexpected)


def _wrong_names(
    table: PartialTable, where: str, questions: Sequence[str], results: Sequence[PartialResult]
) -> Iterator[Finding]:
    known = list(dict.fromkeys(one.stub for one in results))
    named = [*table.asks.items(), *((one.stub, one.questions) for one in table.lost)]
    answers = {stub.partition(".")[0] for stub in known}
    for stub, asked in named:
        if stub not in answers.union(known):
            yield Finding(f"no stub is called `{stub}`", where, f"stubs: {', '.join(known)}")
        for name in asked:
            if name not in questions:
                hint = f"questions: {', '.join(questions)}"
                yield Finding(f"no question is called `{name}`", where, hint)
    for stub in known:
        if not table.own(stub):
            hint = f'say which under [asks]: "{stub}" = ["QUESTION"]'
            yield Finding(f"no question asks for `{stub}`", where, hint)
    for one in table.lost:
        if not one.reason.strip():
            what = f"`{one.stub}` costs {', '.join(one.questions)} without a reason"
            yield Finding(what, where, "write the reason, or mend the checks")


def _without_loss(
    table: PartialTable, where: str, results: Sequence[PartialResult]
) -> Iterator[Finding]:
    """What the table says is lost, and is not: nobody should believe it."""
    for one in table.lost:
        concerned = [
            r
            for r in results
            if r.stub == one.stub and (not one.variants or r.variant in one.variants)
        ]
        for name in one.questions:
            if concerned and not all(name in result.lost for result in concerned):
                kept = [str(r.variant) for r in concerned if name not in r.lost]
                yield Finding(
                    f"`{one.stub}` unsolved ({', '.join(kept)}) keeps {name}, listed as lost",
                    where,
                    "drop it from the entry, or name the `variants` that cost it",
                )


def _dishonest(where: str, results: Sequence[PartialResult]) -> Iterator[Finding]:
    wrong = {one.stub: one.earned for one in results if one.variant is Variant.WRONG_SHAPE}
    for one in results:
        best = wrong.get(one.stub, 0.0)
        if one.variant in HONEST and one.earned < best - 1e-6:
            yield Finding(
                f"`{one.stub}`: {one.variant} earns {one.earned:g}, a wrong answer {best:g}",
                where,
                "an honest gap never costs more: let the checks do without the stub",
            )
