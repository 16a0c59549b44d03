"""No cell of a lesson takes a name away from an answer.

`plots.demo()` gives names back that it found; so what is left are cells outside of it.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.authoring.lessons import Lesson, lesson_paths, read_lesson
from grader.authoring.release import solution_sources
from grader.config.course import load_course

ROOT = Path(__file__).parents[2]
COURSE = load_course(ROOT)
LESSONS = sorted(lesson_paths(COURSE))
NEW_SCOPE = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def lesson_of(assignment: str) -> Lesson:
    return read_lesson(lesson_paths(COURSE)[assignment])


def assigned(node: ast.AST) -> Iterator[str]:
    """The names that code gives to something and that stay: not in functions, not in demos."""
    if isinstance(node, DEFINITIONS):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif not isinstance(node, NEW_SCOPE) and not is_demo(node):
        for child in ast.iter_child_nodes(node):
            yield from assigned(child)


def is_demo(node: ast.AST) -> bool:
    return isinstance(node, ast.With) and any(
        ast.unparse(item.context_expr) == "plots.demo()" for item in node.items
    )


def globals_of(source: str) -> set[str]:
    """The names that code defines, or looks up among the notebook's names."""
    names: set[str] = set()

    def visit(table: symtable.SymbolTable) -> None:
        top = table.get_type() in ("module", symtable.SymbolTable)
        names.update(
            symbol.get_name()
            for symbol in table.get_symbols()
            if (top and symbol.is_assigned()) or symbol.is_global()
        )
        for child in table.get_children():
            visit(child)

    visit(symtable.symtable(source, "answer", "exec"))
    return names - set(dir(builtins))


def answers_to(assignment: str) -> dict[str, str]:
    """Right answers as text: the reference's, which is what stubs are called, and the styles'."""
    styles = (ROOT / "tests/styles").glob(f"{assignment}_*.py")
    texts = {path.name: path.read_text(encoding="utf-8") for path in styles}
    return texts | {
        "the stubs": "\n".join(solution_sources(COURSE, lesson_of(assignment)).values())
    }


def names_of_stubs(assignment: str) -> set[str]:
    return globals_of(answers_to(assignment)["the stubs"])


def definitions(cell: ast.Module) -> set[str]:
    return {node.name for node in cell.body if isinstance(node, DEFINITIONS)}


def cells_of(assignment: str) -> list[tuple[bool, ast.Module]]:
    """The lesson's own cells of code, and whether an answer stands before them."""
    found, answered = [], False
    for cell in lesson_of(assignment).cells:
        if cell.solution:
            answered = True
        elif cell.kind == "code":
            found.append((answered, ast.parse(cell.source)))
    return found


@pytest.mark.parametrize("assignment", LESSONS)
def test_no_cell_assigns_a_name_that_an_answer_uses(assignment: str) -> None:
    cells = cells_of(assignment)
    # what is defined for answers to use, and what stands before all of them, is theirs to replace
    given = {name for answered, cell in cells if not answered for name in assigned(cell)}
    given |= {name for _, cell in cells for name in definitions(cell)} & names_of_stubs(assignment)
    taken = {name for _, cell in cells for name in assigned(cell)} - given
    for answer, text in answers_to(assignment).items():
        assert not taken & globals_of(text), answer


def is_announced(name: str, cell: ast.Module) -> bool:
    """Whether a name looks as if it were given to students: a constant, a function, a class."""
    return name.isupper() or name in definitions(cell)


@pytest.mark.parametrize("assignment", LESSONS)
def test_after_an_answer_things_are_named_in_demonstrations_alone(assignment: str) -> None:
    for answered, cell in cells_of(assignment):
        if answered:
            left = {name for name in assigned(cell) if not is_announced(name, cell)}
            assert not left, f"put these lines into `with plots.demo():`\n{ast.unparse(cell)[:200]}"


def test_a_name_counts_wherever_it_stays() -> None:
    source = "with plots.demo():\n    a = 1\nb, (c, *d) = 1, (2, 3)\nfor e in [f for f in ()]:\n    g = e\n"
    assert set(assigned(ast.parse(source + "def h(i):\n    j = i\n"))) == set("bcdegh")


def test_globals_are_those_that_functions_look_up() -> None:
    assert globals_of("def f(x):\n    y = g(x)\n    return len(y) + z\nw = 1\n") >= {
        "f",
        "g",
        "z",
        "w",
    }
    assert not globals_of("def f(x):\n    y = g(x)\n    return len(y)\n") & {"x", "y", "len"}
