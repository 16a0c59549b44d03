"""What students get works on its own, is the same everywhere, and holds nothing private."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import msgspec
import pytest
from one_file import write_one_file_course
from packaging.requirements import Requirement
from toy import write

from grader.authoring.lessons import lesson_path, lesson_paths
from grader.authoring.new_course import TEMPLATE, new_course
from grader.authoring.release import build_notebook, notebook_bytes
from grader.authoring.student_release import TOP, engine_files, student_files, student_zip
from grader.config.course import Course, load_course
from grader.errors import ConfigError, ReleaseError
from grader.integrations.gradescope.package import package
from grader.judging.engine import load_suites
from grader.model import Suite
from grader.reports.choices import Hidden

ROOT = Path(__file__).parents[3]
ENGINE = [path.relative_to(TOP).as_posix() for path in engine_files()]


@pytest.fixture(scope="module")
def suites() -> tuple[Suite, ...]:
    return tuple(load_suites(load_course(TEMPLATE)).values())


@pytest.fixture
def texts(tmp_path: Path) -> Course:
    """The course about texts that `grader new-course` writes."""
    new_course(tmp_path / "texts", split=True)
    return load_course(tmp_path / "texts")


# ---------------------------------------------------------------- what is in it


def test_holds_what_the_notebooks_need_in_one_folder(
    texts: Course, suites: tuple[Suite, ...]
) -> None:
    with zipfile.ZipFile(io.BytesIO(student_zip(texts, suites))) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {
            "texts/README.md",
            "texts/requirements.txt",
            "texts/handout/__init__.py",
            "texts/handout/checks/test_words.py",
            "texts/notebooks/01_words.ipynb",
            "texts/grader/testing/practice.json",
            *(f"texts/grader/{name}" for name in ENGINE),
        }
        released = archive.read("texts/notebooks/01_words.ipynb")
    assert released == (texts.root / "handout/notebooks/01_words.ipynb").read_bytes()


def test_notebooks_are_fresh_from_the_lessons(texts: Course, suites: tuple[Suite, ...]) -> None:
    (stale,) = (texts.root / "handout/notebooks").iterdir()
    before = stale.read_bytes()
    stale.write_bytes(b"{}")
    assert student_files(texts, suites)["notebooks/01_words.ipynb"] == before


def test_same_course_gives_the_same_bytes(
    texts: Course, suites: tuple[Suite, ...], tmp_path: Path
) -> None:
    other = tmp_path / "else where/texts"
    for path in reversed(new_course(other, split=True)):
        os.utime(path, (10**9, 10**9))
        path.chmod(0o600)
    content = student_zip(texts, suites)
    assert content == student_zip(load_course(other), suites)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
    assert {info.date_time for info in members} == {(1980, 1, 1, 0, 0, 0)}
    assert {(info.compress_type, info.create_system) for info in members} == {(0, 3)}
    assert archive.namelist() == sorted(archive.namelist())


def test_leftovers_and_other_notebooks_stay(texts: Course, suites: tuple[Suite, ...]) -> None:
    before = set(student_files(texts, suites))
    for name in (
        ".env", ".git/config", "__pycache__/x.pyc", "checks/__pycache__/y.pyc", "a.py~",
        "checks/test_words.py.orig", ".ipynb_checkpoints/01.ipynb", "solved.ipynb",
        "notebooks/01_words (my solution).ipynb",
    ):  # fmt: skip
        write(texts.root / "handout" / name, "secret")
    write(texts.root / "handout/pictures/waves.svg", "<svg/>")
    assert set(student_files(texts, suites)) == before | {"handout/pictures/waves.svg"}


def test_odd_ids_make_a_plain_folder(texts: Course, suites: tuple[Suite, ...]) -> None:
    odd = msgspec.structs.replace(texts, id="../Texts: 1/2")
    with zipfile.ZipFile(io.BytesIO(student_zip(odd, suites))) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"Texts-1-2"}


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("key", ["suites", "reference", "lessons", "mutants", "styles"])
def test_private_material_in_a_public_folder_is_refused(
    texts: Course, suites: tuple[Suite, ...], key: str
) -> None:
    inside = texts.root / "handout/deep"
    getattr(texts, key).rename(inside)
    mixed = msgspec.structs.replace(texts, **{key: inside})
    with pytest.raises(ReleaseError, match=r"students would get what is private.*deep"):
        student_zip(mixed, suites)


def test_public_material_in_a_private_folder_is_refused(
    texts: Course, suites: tuple[Suite, ...]
) -> None:
    mixed = msgspec.structs.replace(texts, styles=texts.root)
    with pytest.raises(ReleaseError, match="students would get what is private"):
        student_zip(mixed, suites)


@pytest.mark.parametrize(
    "private", ["suites/test_words.py", "reference/texts.py", "lessons/01_words.py"]
)
def test_copy_of_a_private_file_is_noticed(
    texts: Course, suites: tuple[Suite, ...], private: str
) -> None:
    content = (texts.root / "private" / private).read_text(encoding="utf-8")
    (texts.root / "handout/innocent.txt").write_text(content, encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"`handout/innocent.txt`") as caught:
        student_zip(texts, suites)
    assert private in caught.value.where


def test_symbolic_link_is_refused(texts: Course, suites: tuple[Suite, ...]) -> None:
    (texts.root / "handout/more").symlink_to(texts.root / "private")
    with pytest.raises(ReleaseError, match=r"symbolic link.*more"):
        student_zip(texts, suites)


@pytest.mark.parametrize("name", ["README.md", "requirements.txt"])
def test_students_are_told_how_to_start(
    texts: Course, suites: tuple[Suite, ...], name: str
) -> None:
    (texts.root / "handout" / name).unlink()
    with pytest.raises(ReleaseError, match=f"no {name}"):
        student_zip(texts, suites)


def test_course_without_public_folder_or_lesson_is_told(
    texts: Course, suites: tuple[Suite, ...]
) -> None:
    with pytest.raises(ReleaseError, match="nothing of this course is public"):
        student_zip(msgspec.structs.replace(texts, public=()), suites)
    with pytest.raises(ReleaseError, match="no lessons"):
        student_zip(msgspec.structs.replace(texts, lessons=None), suites)


# ---------------------------------------------------------------- the command


def grader(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader.cli", *map(str, arguments)],
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_command_prints_what_it_wrote_and_warns_of_solutions(texts: Course) -> None:
    notebook = texts.root / "handout/notebooks/01_words.ipynb"
    notebook.write_bytes(b"as it was")
    result = grader("release", "--output", "out", cwd=texts.root)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["out/student.zip", "out/nbgrader/source/words/words.ipynb"]
    assert "out/nbgrader holds the SOLUTIONS" in result.stderr
    assert notebook.read_bytes() == b"as it was"


def test_command_writes_nothing_when_it_fails(texts: Course) -> None:
    (texts.root / "handout/more").symlink_to(texts.root / "private")
    result = grader("release", "--output", "out", cwd=texts.root)
    assert result.returncode == 2
    assert "symbolic link" in result.stderr
    assert not (texts.root / "out").exists()
    result = grader("release", "--check", "--output", "out", cwd=texts.root)
    assert (result.returncode, "leave out --output" in result.stderr) == (2, True)


# ---------------------------------------------------------------- it works on its own

# Runs a notebook where only the standard library, the unpacked folder and `allowed` can be imported.
ALONE = """
import json, sys
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from pathlib import Path
notebook, allowed = sys.argv[1], set(sys.argv[2].split(","))
top = Path.cwd().parent
sys.path[:] = [entry for entry in sys.path if entry and not Path(entry, "grader").exists()]
class Wall(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        first = name.partition(".")[0]
        known = first in sys.stdlib_module_names or first in allowed or (top / first).exists()
        return super().find_spec(name, path, target) if known or first[0] == "_" else None
sys.meta_path[:] = [BuiltinImporter, FrozenImporter, Wall]
names = {"__name__": "__main__"}
for cell in json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), "cell", "exec"), names)
exec("check()", names)
engine = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "grader"}
for module in engine.values():
    assert Path(module.__file__).resolve().is_relative_to(top.resolve()), module
files = [Path(module.__file__).resolve() for module in engine.values()]
print(json.dumps([file.relative_to(top.resolve() / "grader").as_posix() for file in files]))
"""


def run_alone(top: Path, notebook: Path) -> tuple[str, list[str]]:
    """What a notebook prints in an unpacked release, and the engine's files that it loaded."""
    allowed = ",".join(installed_by((top / "requirements.txt").read_text(encoding="utf-8")))
    result = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-c", ALONE, str(notebook), allowed],
        cwd=top / "notebooks",
        env={"PATH": os.environ["PATH"], "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    printed, _, engine = result.stdout.rstrip("\n").rpartition("\n")
    return printed, json.loads(engine)


def installed_by(requirements: str) -> set[str]:
    """The importable names that pip installs for these requirements."""
    wanted = [line for line in requirements.splitlines() if line and not line.startswith("#")]
    found: set[str] = set()
    while wanted:
        requirement = Requirement(wanted.pop())
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        try:
            wanted += metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # jupyterlab: an editor, which no cell imports
    return {
        module
        for module, distributions in metadata.packages_distributions().items()
        if found & {re.sub(r"[-_.]+", "-", each).lower() for each in distributions}
    }


def unpacked(course: Course, suites: Iterable[Suite], folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(student_zip(course, suites))) as archive:
        archive.extractall(folder)
    (top,) = folder.iterdir()
    return top


def test_nothing_but_the_engines_part_is_used(
    texts: Course, suites: tuple[Suite, ...], tmp_path: Path
) -> None:
    top = unpacked(texts, suites, tmp_path / "student")
    printed, engine = run_alone(top, top / "notebooks/01_words.ipynb")
    assert "✗ To be, or not to be" in printed
    assert "✓" not in printed
    others = {"local.py", "testing/predictions.py"}  # for courses of 0.1; and none is made here
    assert set(engine) == set(ENGINE) - others


def test_right_answers_pass_there(texts: Course, suites: tuple[Suite, ...], tmp_path: Path) -> None:
    top = unpacked(texts, suites, tmp_path / "student")
    solved = build_notebook(lesson_path(texts, "words"), texts, suites[0], solved=True)
    (tmp_path / "solved.ipynb").write_bytes(notebook_bytes(solved))
    printed, _ = run_alone(top, tmp_path / "solved.ipynb")
    assert "✓ To be, or not to be" in printed
    assert "✗" not in printed


def test_reasons_arrive_there(texts: Course, suites: tuple[Suite, ...], tmp_path: Path) -> None:
    top = unpacked(texts, suites, tmp_path / "student")
    cells = json.loads((top / "notebooks/01_words.ipynb").read_text(encoding="utf-8"))["cells"]
    (first, *_) = [cell for cell in cells if cell["cell_type"] == "code"]
    wrong = "def split_words(text):\n    return text.split()\ndef most_common(*_):\n    while True: pass"
    answer = {"cell_type": "code", "source": wrong}
    (tmp_path / "wrong.ipynb").write_text(json.dumps({"cells": [first, answer]}))
    printed, _ = run_alone(top, tmp_path / "wrong.ipynb")
    assert "the list of words: not as expected; expected ['to', 'be', " in printed
    assert "Hint: Words are in lower case" in printed
    assert "stopped after 2 s: it took too long (cell, line 4)" in printed  # as the course says
    assert "Hint: The word with" not in printed


def test_limits_of_the_course_are_written_down(texts: Course, suites: tuple[Suite, ...]) -> None:
    quick = msgspec.structs.replace(texts, limits=msgspec.structs.replace(texts.limits, check_s=7))
    assert json.loads(student_files(quick, suites)["grader/testing/practice.json"]) == {
        "check_s": 7
    }


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Course, dict[str, Suite]]:
    """The student release of the course in this repository, unpacked."""
    course = load_course(ROOT)
    suites = load_suites(course)
    return unpacked(course, suites.values(), tmp_path_factory.mktemp("own")), course, suites


@pytest.mark.slow
@pytest.mark.parametrize("assignment", sorted(lesson_paths(load_course(ROOT))))
@pytest.mark.parametrize("solved", [False, True], ids=["template", "solved"])
def test_every_notebook_of_this_course_works_there(
    own: tuple[Path, Course, dict[str, Suite]], assignment: str, solved: bool, tmp_path: Path
) -> None:
    top, course, suites = own
    path = lesson_path(course, assignment)
    notebook = build_notebook(path, course, suites[assignment], solved=solved)
    if not solved:
        released = top / "notebooks" / f"{path.stem}.ipynb"
        assert released.read_bytes() == notebook_bytes(notebook)
    (tmp_path / "it.ipynb").write_bytes(notebook_bytes(notebook))
    printed, engine = run_alone(top, tmp_path / "it.ipynb")
    assert set(engine) <= set(ENGINE)
    assert ("✗" in printed) is not solved
    assert "✓" in printed or not solved


@pytest.mark.slow
def test_file_names_suit_every_system(own: tuple[Path, Course, dict[str, Suite]]) -> None:
    top, _, _ = own
    names = [path.relative_to(top).as_posix() for path in top.rglob("*")]
    assert len({name.lower() for name in names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_./-]{1,100}", name) for name in names)


@pytest.mark.slow
def test_every_path_in_the_readme_exists(own: tuple[Path, Course, dict[str, Suite]]) -> None:
    top, course, _ = own
    text = (top / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:transformer/|notebooks/|course/|grader/|requirements)[^` ]*)`", text)
    assert len(named) > 5
    assert [name for name in named if not (top / name.removeprefix(f"{course.id}/")).exists()] == []


def test_requirements_are_those_that_are_tested() -> None:
    project = msgspec.toml.decode((ROOT / "pyproject.toml").read_bytes())["project"]
    known = set(project["dependencies"]).union(*project["optional-dependencies"].values())
    lines = (ROOT / "course/requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[1:] == sorted(set(lines[1:]) & known)


def test_a_release_of_one_assignment_holds_nothing_of_the_others(
    texts: Course, suites: tuple[Suite, ...], tmp_path: Path
) -> None:
    root = texts.root
    table = root / "pyproject.toml"
    more = '\n[[tool.grader.assignments]]\nid = "letters"\ntitle = "Letters"\n'
    table.write_text(table.read_text(encoding="utf-8") + more, encoding="utf-8")
    (root / "handout/checks/test_letters.py").write_text("LATER = 1\n", encoding="utf-8")
    course = load_course(root)
    everything = set(student_files(texts, suites))
    alone = set(student_files(course, suites, ["words"]))
    assert alone == everything - {"handout/checks/test_letters.py"}


def test_what_a_course_requires_is_installed_by_students_and_gradescope(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path / "sums")
    table = '[tool.grader]\nrequirements = ["pandas>=2.2", "pytest>=8.0"]\n'
    (root / "pyproject.toml").write_text(table, encoding="utf-8")
    course = load_course(root)
    files = student_files(course, load_suites(course).values())
    lines = files["requirements.txt"].decode().splitlines()
    assert "pandas>=2.2" in lines
    assert lines.count("pytest>=8.0") == 1
    packed = package(course, course.assignments[0], Hidden.TITLES)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert b"pandas>=2.2" in archive.read("requirements.txt")


@pytest.mark.parametrize("line", ["", "--index-url=https://elsewhere", "pandas\nnumpy"])
def test_a_requirement_is_nothing_but_a_package(tmp_path: Path, line: str) -> None:
    write(tmp_path / "pyproject.toml", f"[tool.grader]\nid = 'a'\ntitle = 'A'\nassignments = []\nrequirements = {json.dumps([line])}\n")  # fmt: skip
    with pytest.raises(ConfigError, match="nothing that pip installs"):
        load_course(tmp_path)
