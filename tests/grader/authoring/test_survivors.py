"""What becomes of a generated mutant that no check notices."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import assert_clear, grader
from toy import HIDDEN, Silent, write, write_gate

from grader.authoring.cases import USUAL, Kind
from grader.authoring.generated import generate, given_functions, load_equivalents
from grader.authoring.lessons import lesson_path, read_lesson
from grader.authoring.mutants import Edit, load_mutants, make_edits
from grader.authoring.new_course import TEMPLATE
from grader.authoring.release import solution_sources
from grader.authoring.strict import Fate
from grader.authoring.survivors import accept, find_mutant, smallest_edit, write_mutant
from grader.authoring.verify import AssignmentGate, Verdict, verify
from grader.config.course import Course, load_course
from grader.errors import UsageError

START = "Counter.__init__:default:1"


def gate_of(root: Path, *, every_check: bool = True) -> AssignmentGate:
    kinds = [*USUAL, Kind.GENERATED]
    course = load_course(root)
    (gate,) = verify(course, kinds=kinds, every_check=every_check, watcher=Silent()).gates
    return gate


def fates(gate: AssignmentGate) -> dict[str, Fate]:
    assert gate.strict is not None
    assert gate.strict.generated is not None
    return {one.id: one.fate for one in gate.strict.generated.results}


@pytest.mark.slow
def test_one_that_is_accepted_is_equivalent_from_then_on(toy: Path) -> None:
    write_gate(toy)
    before = gate_of(toy)
    assert before.passed, "survivors are told, and no more"
    assert fates(before)[START] is Fate.SURVIVES
    path = accept(load_course(toy), [], START, " nobody counts without a start ")
    assert path == toy / "lessons/01_adding/equivalents.toml"
    (entry,) = load_equivalents(read_lesson(toy / "lessons/01_adding.py"))
    assert entry.reason == "nobody counts without a start"
    assert fates(gate_of(toy))[START] is Fate.EQUIVALENT


@pytest.mark.slow
def test_one_that_is_written_fails_the_gate_until_a_check_notices_it(toy: Path) -> None:
    write_gate(toy)
    course = load_course(toy)
    path = write_mutant(course, ["adding"], START, ["state"], "counting starts at 1")
    assert path == toy / "mutants/adding/Counter___init___default_1.toml"
    (gate,) = verify(course, watcher=Silent()).gates
    (case,) = (case for case in gate.cases if case.name == path.stem)
    assert case.verdict is Verdict.SURVIVES
    assert not gate.passed
    more = (
        HIDDEN
        + """
    @check(points=1)
    def test_from_nothing(self, submission):
        \"\"\"Starts from 0 by itself\"\"\"
        assert submission.Counter().up().value() == 1
"""
    )
    write(toy / "hidden/test_adding.py", more)
    (gate,) = verify(load_course(toy), watcher=Silent()).gates
    assert gate.passed


@pytest.mark.slow
def test_a_check_that_only_a_generated_mutant_fails_is_proven(toy: Path) -> None:
    write_gate(toy)
    for path in (toy / "mutants/adding").iterdir():
        path.unlink()
    assert len(verify(load_course(toy), watcher=Silent()).gates[0].unproven) == 6
    sums = [f"test_any_sum[{scale}]" for scale in (1, 10, 100)]
    # left out wherever the public check, which they require, fails: that proves nothing
    assert gate_of(toy).unproven == (*sums, "test_rejects_text")


@pytest.mark.parametrize("course", [TEMPLATE], ids=["template"])
def test_what_is_written_is_the_generated_mutant(course: Path) -> None:
    loaded = load_course(course)
    lesson = read_lesson(lesson_path(loaded, "words"))
    sources = solution_sources(loaded, lesson)
    names = [one.id for one in generate(sources, given_functions(lesson))]
    for one in generate(sources, given_functions(lesson), edited=names):
        old, new = smallest_edit(sources[one.answer], one)
        edit = Edit(answer=one.answer, old=old, new=new)
        edited = make_edits([edit], sources, "x.toml")[one.answer]
        assert ast.dump(ast.parse(edited)) == ast.dump(ast.parse(one.edited))


def test_every_mutant_of_a_course_can_be_written_and_read(toy: Path) -> None:
    write_gate(toy)
    course = load_course(toy)
    lesson = read_lesson(lesson_path(course, "adding"))
    for one in generate(solution_sources(course, lesson)):
        write_mutant(course, [], one.id, ["state"], 'it\'s "wrong"')
    bugs = [mutant.bug for mutant in load_mutants(course)]
    assert bugs.count('it\'s "wrong"') == 8


@pytest.mark.parametrize(
    ("settle", "said"),
    [
        (lambda c: accept(c, [], START, " "), "say why nobody could notice it --reason"),
        (lambda c: accept(c, [], "Counter.__init__:default:2", "x"), f"did you mean `{START}`"),
        (lambda c: accept(c, [], "zzz", "x"), "--generate` lists them"),
        (lambda c: write_mutant(c, [], START, [], "x"), "which question .* small, any, state"),
        (lambda c: write_mutant(c, [], START, ["stat"], "x"), "did you mean `state`"),
        (lambda c: write_mutant(c, [], START, ["state"], ""), "say what is wrong with it"),
    ],
)
def test_what_can_not_be_settled_says_why(
    toy: Path, settle: Callable[[Course], Path], said: str
) -> None:
    write_gate(toy)
    with pytest.raises(UsageError) as caught:
        settle(load_course(toy))
    assert re.search(said, f"{caught.value.message} {caught.value.hint}")
    assert not (toy / "lessons/01_adding").exists()


def test_the_command_settles_one_by_its_name(toy: Path) -> None:
    write_gate(toy)
    both = ["--accept", START, "--write-mutant", START]
    assert_clear(grader("verify", *both, cwd=toy), 2, "accepted or written, not both")
    settle = ["--accept", START, "--reason", "nobody counts without a start"]
    assert_clear(grader("verify", "-a", "addin", *settle, cwd=toy), 2, "did you mean `adding`?")
    done = grader("verify", "-a", "adding", *settle, cwd=toy)
    assert done.stdout == f"{toy / 'lessons/01_adding/equivalents.toml'}\n"


def test_nothing_is_settled_twice(toy: Path) -> None:
    write_gate(toy)
    course = load_course(toy)
    accept(course, [], START, "so")
    with pytest.raises(UsageError, match="has an entry already"):
        accept(course, [], START, "so")
    write_mutant(course, [], START, ["state"], "so")
    with pytest.raises(UsageError, match="written already"):
        write_mutant(course, [], START, ["state"], "so")
    assert find_mutant(course, [], START).lesson.assignment == "adding"
