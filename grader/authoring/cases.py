"""What the gate tries: the reference, the template, other styles, mutants, fakes.

A mutant is handed in for its own assignment and plugged into later ones as a student's own earlier
work would be, where the lesson shows how, in a comment:

    # FullModel = load("full_model").TinyTransformerLM

There all answers of that assignment stand before the lesson's own, and the line is carried out.
Where that can change nothing it is left out: because no answer or check names it, or because not
even answers cost anything there that raise whenever they are used. These are tried first.
"""

from __future__ import annotations

import ast
import enum
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from grader.authoring.fakes import Fake, load_fakes
from grader.authoring.lessons import Lesson, lesson_path, lesson_paths, read_lesson
from grader.authoring.mutants import Mutant, apply, load_mutants
from grader.authoring.reach import changed_functions
from grader.authoring.release import solution_sources, solved_cells, template_cells
from grader.authoring.used_names import names_used, needed, statements
from grader.config.course import Course
from grader.config.suite_files import suite_files
from grader.lesson.one_file import read_one_file
from grader.model import Cell, Value

PLUG = re.compile(r'^# (\w+) = load\("(\w+)"\)\.(\w+)$', re.MULTILINE)


UNUSABLE_FUNCTION = """\
def {name}(*args, **options):
    raise RuntimeError("an answer of an earlier assignment is used")
"""

UNUSABLE_CLASS = """\
class {name}:
    def __new__(cls, *args, **options):
        raise RuntimeError("an answer of an earlier assignment is used")

    def __init_subclass__(cls):
        raise RuntimeError("an answer of an earlier assignment is used")
"""


class Kind(enum.StrEnum):
    """What a case is, and so what it must get."""

    REFERENCE = "reference"
    TEMPLATE = "template"
    STYLE = "style"
    FAKE = "fake"
    MUTANT = "mutant"
    GENERATED = "generated"
    PARTIAL = "partial"


USUAL = (Kind.REFERENCE, Kind.TEMPLATE, Kind.STYLE, Kind.FAKE, Kind.MUTANT)
"""What the gate tries unless it is to be strict."""


class Planned(Value, frozen=True):
    """A case before it is graded.

    Attributes:
        origin: the mutant's own assignment when it is plugged in.
        at_most: points that a fake may earn.
        until_lost: whether nothing more is asked once points are lost.
        scout: whether it is there to find out if anything of `origin` matters here at all.
        wrong: the answers in which a mutant's bug is.
        changed: the functions whose bodies differ from the right answers'; None if more does.
    """

    assignment: str
    kind: Kind
    name: str
    cells: tuple[Cell, ...]
    seed: int
    bug: str = ""
    must_lose: tuple[str, ...] = ()
    origin: str = ""
    at_most: float | None = None
    until_lost: bool = False
    scout: bool = False
    wrong: tuple[str, ...] = ()
    changed: tuple[str, ...] | None = None


class Material(Value, frozen=True):
    """A lesson, taken apart.

    Attributes:
        imports: its cells that prepare, before its first answer.
        plugs: names under which it takes earlier work: (name here, assignment, name there).
        given: the functions and classes that it gives to its students, for their answers to use.
        answers: the right answers' texts by name.
        used: the names that its answers and checks make use of.
    """

    imports: tuple[str, ...]
    plugs: tuple[tuple[str, str, str], ...]
    given: tuple[str, ...]
    answers: dict[str, str]
    used: frozenset[str]


def plan_cases(
    course: Course,
    assignments: Sequence[str],
    *,
    seed: int = 0,
    repeat: int = 1,
    thorough: bool = False,
    kinds: Collection[Kind] = USUAL,
) -> list[Planned]:
    """Everything that is tried on the suites of some assignments.

    Args:
        course: whose lessons, styles and mutants.
        assignments: ids.
        seed: decides the random inputs.
        repeat: how many seeds the reference is graded from.
        thorough: plug every mutant into every assignment.
        kinds: of cases; all of them unless told.
    """
    materials = {name: material(course, name) for name in lesson_paths(course)}
    mutants = load_mutants(course)
    cases = []
    for name in assignments:
        solved, template = solved_cells(course, name), template_cells(course, name)
        cases += [
            Planned(name, Kind.REFERENCE, "reference", solved, seed + n) for n in range(repeat)
        ]
        cases.append(Planned(name, Kind.TEMPLATE, "template", template, seed))
        for style, texts in styles(course, name).items():
            cases.append(Planned(name, Kind.STYLE, style, _cells(texts), seed))
        cases += [_as_case(fake, materials[name], seed) for fake in load_fakes(course, name)]
        plugged = [
            case
            for mutant in mutants
            for case in _plugged_in(mutant, name, materials, seed, thorough)
        ]
        cases += plugged
        if not thorough:
            origins = dict.fromkeys(case.origin for case in plugged if case.origin)
            cases += [_scout(name, origin, materials, seed) for origin in origins]
    return [case for case in cases if case.kind in kinds]


def material(course: Course, assignment: str) -> Material:
    """Take an assignment's lesson apart."""
    lesson = read_lesson(lesson_path(course, assignment))
    answers = solution_sources(course, lesson)
    checks = [
        path.read_text(encoding="utf-8")
        for folder in (course.checks, course.suites)
        for path in suite_files(folder, assignment)
    ]
    if assignment in course.one_file:
        checks += [c.cell.source for c in read_one_file(course.one_file[assignment]).checks]
    return Material(
        imports=tuple(imports(lesson)),
        plugs=tuple(PLUG.findall("\n".join(imports(lesson)))),
        given=tuple(definitions(lesson)),
        answers=answers,
        used=frozenset().union(*map(names_used, [*answers.values(), *checks])),
    )


def in_place_of(lesson: Material, answers: Mapping[str, str]) -> tuple[Cell, ...]:
    """The cells of a notebook with other answers, without what is only shown."""
    return _cells([*lesson.imports, *lesson.given, *(lesson.answers | dict(answers)).values()])


def styles(course: Course, assignment: str) -> dict[str, tuple[str, ...]]:
    """Right answers in other styles by name, as cells: from the lesson, and the course's `styles`.

    Those of the lesson come after what the lesson gives, as a student's own would.
    """
    found: dict[str, tuple[str, ...]] = {}
    if path := course.one_file.get(assignment):
        given = what_is_given(read_lesson(path))
        found = {one.name: (*given, one.cell.source) for one in read_one_file(path).styles}
    for file in style_files(course, assignment):
        found[file.stem] = (file.read_text(encoding="utf-8"),)
    return found


def style_files(course: Course, assignment: str) -> list[Path]:
    """Correct implementations in other styles: `ASSIGNMENT_STYLE.py` in the course's `styles`."""
    if course.styles is None:
        return []
    return sorted(course.styles.glob(f"{assignment}_*.py"))


def _as_case(fake: Fake, lesson: Material, seed: int) -> Planned:
    """The case of a fake: its file as it is, or the lesson's notebook with its answers."""
    given = () if fake.is_whole else (*lesson.imports, *lesson.given)
    answers = [fake.source] if fake.source else fake.answers.values()
    return Planned(
        assignment=fake.assignment,
        kind=Kind.FAKE,
        name=fake.name,
        cells=_cells([*given, *answers]),
        seed=seed,
        bug=fake.pretends,
        at_most=fake.at_most,
    )


def _cells(sources: Iterable[str]) -> tuple[Cell, ...]:
    return tuple(Cell(number=number, source=text) for number, text in enumerate(sources, 1))


def _plugged_in(
    mutant: Mutant, assignment: str, materials: Mapping[str, Material], seed: int, thorough: bool
) -> list[Planned]:
    """The case of a mutant in an assignment, its own or another one; none where it can't matter."""
    here, there = materials[assignment], materials[mutant.assignment]
    wrong = apply(mutant, there.answers)
    own = mutant.assignment == assignment
    pasted: list[str] = []
    if not own:
        plugs = _plugs(here, mutant.assignment)
        used = {theirs for name, theirs in plugs.items() if name in here.used}
        differing = {name for name, text in wrong.items() if text != there.answers[name]}
        if not thorough and not differing & needed(wrong, used):
            return []
        pasted = _pasted(plugs, there, wrong)
    answers = wrong if own else here.answers
    sources = [*here.imports, *pasted, *here.given, *answers.values()]
    return [
        Planned(
            assignment=assignment,
            kind=Kind.MUTANT,
            name=mutant.name,
            cells=_cells(sources),
            seed=seed,
            bug=mutant.bug,
            must_lose=mutant.loses if own else (),
            origin="" if own else mutant.assignment,
            wrong=tuple(dict.fromkeys(edit.answer for edit in mutant.edits)) if own else (),
            changed=changed_functions(there.answers, wrong) if own else None,
        )
    ]


def _plugs(here: Material, origin: str) -> dict[str, str]:
    """Under which names a lesson takes in answers of an earlier one: theirs by those here."""
    return {name: theirs for name, place, theirs in here.plugs if place == origin}


def _pasted(plugs: Mapping[str, str], there: Material, answers: Mapping[str, str]) -> list[str]:
    """What stands before a lesson's own answers when earlier ones are plugged in."""
    lines = [f"{name} = {theirs}" for name, theirs in plugs.items()]
    return [*there.imports, *there.given, *answers.values(), "\n".join(lines)]


def _scout(assignment: str, origin: str, materials: Mapping[str, Material], seed: int) -> Planned:
    """The case in which answers of an earlier assignment are there, and raise when they are used.

    If it loses nothing, no bug of theirs can cost anything here.
    """
    here, there = materials[assignment], materials[origin]
    answers = {name: _unusable(name, text) for name, text in there.answers.items()}
    pasted = _pasted(_plugs(here, origin), there, answers)
    return Planned(
        assignment=assignment,
        kind=Kind.MUTANT,
        name="unusable",
        cells=_cells([*here.imports, *pasted, *here.given, *here.answers.values()]),
        seed=seed,
        bug="whatever is made with an answer, or asked of it, raises an error",
        origin=origin,
        scout=True,
    )


def _unusable(name: str, source: str) -> str:
    """An answer that is defined, and of no use."""
    is_class = any(
        isinstance(node, ast.ClassDef) and node.name == name for node in statements(source)
    )
    return (UNUSABLE_CLASS if is_class else UNUSABLE_FUNCTION).format(name=name)


# ---------------------------------------------------------------- reading a lesson


def what_is_given(lesson: Lesson) -> list[str]:
    """What a lesson gives for answers to build on: imports, then definitions and constants."""
    return [*imports(lesson), *definitions(lesson)]


def imports(lesson: Lesson) -> list[str]:
    """The code cells of a lesson that come before its first answer and import something."""
    sources = []
    for cell in lesson.cells:
        if cell.solution is not None:
            break
        if cell.kind == "code" and cell.question is None and _imports(cell.source):
            sources.append(cell.source)
    return sources


def definitions(lesson: Lesson) -> list[str]:
    """The functions, classes and constants that a lesson gives to its students."""
    sources = []
    for cell in lesson.cells:
        if cell.kind == "code" and cell.solution is None and cell.question is None:
            given = [
                node
                for node in statements(cell.source)
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) or _is_constant(node)
            ]
            sources += [ast.unparse(node) for node in given]
    return sources


def _is_constant(node: ast.stmt) -> bool:
    """Whether a statement gives a name to a literal."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
        return False
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return True


def _imports(source: str) -> bool:
    body = ast.Module(statements(source), [])
    return any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(body))
