"""Generated mutants: the reference with one small mistake each, wherever one can be made.

Each is named by the function that it is in, the operator and a number:

    SinusoidalPositionalEncoding.__init__:constant:3

One that no check notices is a hole in the suite, or it is *equivalent*: no caller could tell it
from the reference. The latter stand in `equivalents.toml`, in the folder beside the lesson that is
called like it, each with a reason that somebody else can verify:

    [[equivalent]]
    mutant = "SinusoidalPositionalEncoding.__init__:constant:3"
    change = "table.flatten(1)[:, :d_model] → table.flatten(-2)[:, :d_model]"
    reason = "the table has three dimensions: -2 is 1"

`change` holds the entry to its mutant: numbers move when the reference does.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from grader.authoring.edited import bare, edited_text
from grader.authoring.lessons import Lesson
from grader.authoring.operators import mutations
from grader.authoring.tables import Entry, read_table, table_path
from grader.model import Value

TARGET = 0.95
"""The part of the generated mutants that must be killed, or equivalent for a reason."""

LONG, CONTEXT = 100, 30
"""Lines that are longer are shown with so many characters around what differs."""


class Generated(Value, frozen=True):
    """A generated mutant.

    Attributes:
        id: `FUNCTION:OPERATOR:NUMBER`.
        answer: the answer that it is in.
        source: that answer's text, changed.
        change: `BEFORE → AFTER`, the lines that differ.
        edited: the answer's text as it stands, with its comments, and this change; empty unless it
            was asked for, or where it can't be told.
    """

    id: str
    answer: str
    source: str
    change: str
    edited: str = ""


class Equivalent(Value, frozen=True, forbid_unknown_fields=True):
    """A mutant that nobody could notice, and why."""

    mutant: str
    change: str
    reason: str = ""


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    equivalent: tuple[Equivalent, ...] = ()


def load_equivalents(lesson: Lesson) -> tuple[Equivalent, ...]:
    """Read which generated mutants of an assignment are accepted; none without a table.

    Raises:
        SuiteError: the table is malformed.
    """
    table = read_table(table_path(lesson, "equivalents"), _Table)
    return () if table is None else table.equivalent


def generate(
    sources: Mapping[str, str],
    given: Mapping[str, Collection[str]] | None = None,
    *,
    edited: Collection[str] = (),
) -> tuple[Generated, ...]:
    """Make every mutant of an assignment's answers, in the order of their text.

    What reads the same as the answer or as another mutant, but for docstrings and annotations, is
    left out.

    Args:
        sources: the answers' texts by name.
        given: functions of answers that students get as they are.
        edited: ids of those whose change of the text as it stands is asked for.
    """
    made: list[Generated] = []
    for answer, source in sources.items():
        made += _of_answer(answer, source, set((given or {}).get(answer, ())), set(edited))
    return tuple(made)


def sample(mutants: Sequence[Generated], most: int) -> tuple[Generated, ...]:
    """Of the mutants of each function, so many at most, spread over its text: always the same."""
    of_function: dict[str, list[Generated]] = {}
    for one in mutants:
        of_function.setdefault(one.id.partition(":")[0], []).append(one)
    return tuple(
        own[len(own) * number // chosen]
        for own in of_function.values()
        for chosen in (min(most, len(own)),)
        for number in range(chosen)
    )


def given_functions(lesson: Lesson) -> dict[str, tuple[str, ...]]:
    """Which functions of each answer are given to students."""
    return {cell.solution: cell.given for cell in lesson.cells if cell.solution and cell.given}


def _of_answer(answer: str, source: str, given: set[str], edited: set[str]) -> Iterator[Generated]:
    tree = bare(ast.parse(source))
    before = ast.unparse(tree)
    seen = {before}
    numbers: Counter[tuple[str, str]] = Counter()
    twins = _twins(tree)
    for place, owner, field, index, node, statement in _nodes(tree, ""):
        if {place, place.rpartition(".")[2]} & given:
            continue
        found = [*mutations(node, owner, field), *_other_part(node, twins)]
        for operator, other in found:
            numbers[place, operator] += 1
            _put(owner, field, index, other)
            after = ast.unparse(tree)
            name = f"{place or answer}:{operator}:{numbers[place, operator]}"
            text = ""
            if name in edited and statement is not None:
                changed = other if node is statement else statement
                text = edited_text(source, statement, changed, after)
            _put(owner, field, index, node)
            if after in seen or not _compiles(after):
                continue
            seen.add(after)
            yield Generated(name, answer, after, difference(before, after), text)


def difference(before: str, after: str) -> str:
    """The lines that differ between two texts, in one line."""
    old, new = before.split("\n"), after.split("\n")
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return " → ".join(_shortened(_joined(old), _joined(new)))


def _shortened(one: str, other: str) -> tuple[str, str]:
    """Two long lines without most of what they have in common."""
    if max(len(one), len(other)) <= LONG:
        return one, other
    first = _in_common(one, other)
    last = min(_in_common(one[::-1], other[::-1]), len(one) - first, len(other) - first)
    start = max(0, first - CONTEXT)
    return tuple(
        "…" * bool(start)
        + text[start : len(text) - max(0, last - CONTEXT)]
        + "…" * (last > CONTEXT)
        for text in (one, other)
    )  # type: ignore[return-value]


def _in_common(one: str, other: str) -> int:
    """How many characters two lines begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _joined(lines: Iterable[str]) -> str:
    return "; ".join(line.strip() for line in lines) or "(nothing)"


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


Hung = tuple[str, ast.AST, str, "int | None", ast.AST, "ast.stmt | None"]


def _nodes(node: ast.AST, place: str, statement: ast.stmt | None = None) -> Iterator[Hung]:
    """Every node whose change could change what happens.

    With it come its function, where it hangs, and the statement that it is or is part of.
    """
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "type_comment", "ctx", "type_params"):
            continue
        if isinstance(node, ast.Raise) and field != "exc":
            continue
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue  # a message: its words are free
            here = place
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                here = f"{place}.{child.name}" if place else child.name
            inner = child if isinstance(child, ast.stmt) else statement
            yield here, node, field, index, child, inner
            if not isinstance(child, ast.Raise):  # what is said to the caller is free
                yield from _nodes(child, here, inner)


def _put(owner: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(owner, field, node)
    else:
        getattr(owner, field)[index] = node


def _twins(tree: ast.Module) -> dict[str, str]:
    """Attributes of `self` that are made alike, each with the next one of its kind."""
    kinds: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for target in node.targets:
                if _is_own(target):
                    kinds.setdefault(ast.unparse(node.value.func), []).append(target.attr)  # type: ignore[attr-defined]
    pairs: dict[str, str] = {}
    for names in kinds.values():
        unique = list(dict.fromkeys(names))
        if len(unique) > 1:
            pairs |= dict(zip(unique, unique[1:] + unique[:1], strict=True))
    return pairs


def _is_own(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _other_part(node: ast.AST, twins: Mapping[str, str]) -> Iterator[tuple[str, ast.AST]]:
    """`self.norm1` becomes `self.norm2` where it is read."""
    if (
        isinstance(node, ast.Attribute)
        and _is_own(node)
        and isinstance(node.ctx, ast.Load)
        and node.attr in twins
    ):
        yield "other-part", ast.Attribute(node.value, twins[node.attr], node.ctx)


def entry(mutant: str, change: str) -> Entry:
    """What accepts a mutant once its reason is written."""
    return {"mutant": mutant, "change": change, "reason": ""}
