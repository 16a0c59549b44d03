"""What the guides tell people to type: every command is run, or says why not."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from cookbook import write_cookbook
from guides import ROOT, SHELLS, Block, Shell, blocks, command_lines, like
from source_notebooks import code, write_notebook

from grader.authoring.new_course import new_course
from grader.cli.app import grader

CLASS = ROOT / "examples/submissions"
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "course/README.md",
    "grader/authoring/templates/new_course/README.md",
    "grader/authoring/templates/new_course/handout/README.md",
    "grader/authoring/templates/one_file/README.md",
    *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("deploy/**/*.md"))),
    *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("docs/*.md"))),
]

# pages for students hold no comments about tests
NOT_RUN = {
    "course/README.md": "installs Jupyter; tests/packaging looks into the archive that it is about",
    "grader/authoring/templates/new_course/handout/README.md": "installs Jupyter",
    "deploy/jupyterhub/README.md": "makes users; tests/e2e/test_jupyterhub.py runs that hub",
}


PARTS = (
    "Makefile", "constraints.txt", "course", "examples", "grader", "pyproject.toml", "solutions",
    "tests",
)  # fmt: skip


def checkout(home: Path) -> Path:
    """The course as somebody has it who cloned it and ran `make` before."""
    folder = home / "transformer"
    folder.mkdir()
    for name in PARTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    for name in ("pyproject.toml", "constraints.txt"):
        os.utime(folder / name, (0, 0))  # older than the environment: nothing is to be installed
    return folder


def hand_in(folder: Path, *students: str) -> None:
    for student in students:
        shutil.copytree(CLASS / student, folder / student)


def sheet(*students: str) -> str:
    """A grade sheet of Canvas, with logins."""
    head = "Student,ID,SIS User ID,SIS Login ID,Section,Embeddings (11)\n"
    rows = (f'"Doe, {name}",{n},,{name},A,\n' for n, name in enumerate(students, 100))
    return head + "    Points Possible,,,,,15\n" + "".join(rows)


def empty(home: Path) -> Path:
    return home


def a_class(home: Path) -> Path:
    """A checkout, with submissions of some students in it."""
    folder = checkout(home)
    hand_in(folder / "submissions", "anna", "chen")
    return folder


def exchange(home: Path) -> Path:
    """A checkout, with what was downloaded from Canvas and Moodle."""
    folder = checkout(home)
    hand_in(folder / "submissions", "emil")
    students = {"anna": 100, "dora": 101}
    with zipfile.ZipFile(folder / "download.zip", "w") as archive:
        for student, number in students.items():
            name = "01_embeddings.ipynb"
            archive.write(CLASS / student / name, f"doe{student}_{number}_2{number}_{name}")
    (folder / "Grades.csv").write_text(sheet(*students), encoding="utf-8")
    moodle = "Identifier,Full name,Email address,Grade,Maximum Grade\n"
    rows = (f'Participant {n},"Doe, {name}",{name}@example.org,,15.00\n' for name, n in students.items())  # fmt: skip
    (folder / "Moodle.csv").write_text(moodle + "".join(rows), encoding="utf-8")
    rows = (f"doe{name}_{n},\n" for name, n in students.items())
    (folder / "points.csv").write_text("Student,Points\n" + "".join(rows), encoding="utf-8")
    return folder


def two_years(home: Path) -> Path:
    """A checkout, with submissions of this year and of the last."""
    folder = a_class(home)
    hand_in(folder / "last-year", "greta", "jonas")
    return folder


def hub_course(home: Path) -> Path:
    """The course, and the sheet of a learning platform."""
    (home / "Downloads").mkdir()
    (home / "Downloads/Grades.csv").write_text(sheet("ann", "bob"), encoding="utf-8")
    return checkout(home)


def small_course(home: Path) -> Path:
    new_course(home / "my-course", split=True)
    return home / "my-course"


def course_in_one_file(home: Path) -> Path:
    new_course(home / "my-course")
    return home / "my-course"


def all_recipes(home: Path) -> Path:
    """The course of the cookbook, and what somebody has handed in twice for one of its lessons."""
    folder = write_cookbook(home / "cookbook")
    (folder / "handed-in").mkdir()
    for number, (end, doubled) in enumerate([("", "n * n"), ("-1", "n + n")], 201):
        file = folder / f"handed-in/lee_101_{number}_late_work{end}.py"
        file.write_text(f"def double(n):\n    return {doubled}\n", encoding="utf-8")
    return folder


def from_elsewhere(home: Path, layout: str) -> Path:
    """Ann's and Bo's answers as they lie in another grader's folder."""
    no_error = "def mean(numbers):\n    return sum(numbers) / len(numbers)\n"
    error = "if not numbers:\n        raise ValueError(numbers)\n    return"
    for student, mean in (("ann", no_error), ("bo", no_error.replace("return", error))):
        spread = "def spread(numbers):\n    return max(numbers) - min(numbers)\n"
        write_notebook(home / layout.format(student), code(mean), code(spread))
    return home


def from_nbgrader(home: Path) -> Path:
    return from_elsewhere(home, "submitted/{}/ps1/ps1.ipynb")


def from_otter(home: Path) -> Path:
    return from_elsewhere(home, "submissions/{}/means.ipynb")


def from_gradescope(home: Path) -> Path:
    """An export of Gradescope, and its sheet of scores."""
    told = sheet_ = ""
    with zipfile.ZipFile(home / "assignment_7_export.zip", "w") as archive:
        for number, (first, last, answer) in enumerate(
            [("Ann", "Doe", "5"), ("Bo", "Lee", "sum(map(int, text.split('+')))")], 4711
        ):
            path = f"assignment_7_export/submission_{number}/calculator.py"
            archive.writestr(path, f"def add_up(text):\n    return {answer}\n")
            told += (
                f'submission_{number}:\n  :submitters: [{{":name": {first} {last}, ":sid": '
                f'"{number}"}}]\n  :created_at: 2026-03-01 22:59:00.000000000 Z\n'
            )
            sheet_ += f"{first},{last},{number},{first.lower()}@example.org,,5.0\n"
        archive.writestr("assignment_7_export/submission_metadata.yml", told)
    head = "First Name,Last Name,SID,Email,Calculator,Calculator - Max Points\n"
    (home / "Calculator_scores.csv").write_text(head + sheet_, encoding="utf-8")
    return home


def term(home: Path) -> Path:
    """Four students have handed in one assignment, one of them a file that is no notebook."""
    checkout(home)
    for student in ("anna", "dora", "greta", "lena"):
        name = "01-Embeddings (2).ipynb" if student == "greta" else "01_embeddings.ipynb"
        place = home / "term/handed-in" / student / name
        place.parent.mkdir(parents=True)
        shutil.copy(CLASS / student / name, place)
    downloads = home / "Downloads"
    downloads.mkdir()
    shutil.copy(CLASS / "ines/01_embeddings.ipynb", downloads)
    sheet_ = sheet("anna", "dora", "greta", "lena")
    (downloads / "Grades.csv").write_text(sheet_, encoding="utf-8")
    return home


def old_term(home: Path) -> Path:
    """Two students have handed in, and the course is there."""
    checkout(home)
    hand_in(home / "term/handed-in", "emil", "ines")
    return home


def written_answers(home: Path) -> Path:
    """The example course of which a person reads part of the answers."""
    shutil.copytree(ROOT / "examples/courses/written-answers", home / "coast")
    return home / "coast"


SCENES: dict[str, Callable[[Path], Path]] = {
    "README.md": a_class,
    "docs/alike.md": two_years,
    "docs/compared.md": empty,
    "docs/cookbook.md": all_recipes,
    "docs/exchange.md": exchange,
    "docs/from-gradescope.md": from_gradescope,
    "docs/from-nbgrader.md": from_nbgrader,
    "docs/from-otter.md": from_otter,
    "docs/instructors.md": term,
    "docs/jupyterhub.md": hub_course,
    "docs/mark.md": written_answers,
    "docs/operators.md": old_term,
    "docs/threat-model.md": empty,
    "docs/tutorial.md": empty,
    "docs/write-a-course.md": empty,
    "grader/authoring/templates/new_course/README.md": small_course,
    "grader/authoring/templates/one_file/README.md": course_in_one_file,
}

SKIPPED = [
    pytest.param(block.said.get("not run") or NOT_RUN[page], id=block.name)
    for page in PAGES
    for block in blocks(page)
    if block.is_commands and ("not run" in block.said or page in NOT_RUN)
]


@pytest.mark.slow
@pytest.mark.parametrize("page", SCENES)
def test_a_guide_works_as_it_is_written(page: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shell = Shell(home, SCENES[page](home), tmp_path / "state")
    for block in blocks(page):
        shell.run(block)


@pytest.mark.slow
@pytest.mark.parametrize("reason", SKIPPED)
def test_what_is_not_run_says_why(reason: str) -> None:
    pytest.skip(reason)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_run_or_says_why_not(page: str) -> None:
    commands = [block for block in blocks(page) if block.is_commands]
    silent = [block.name for block in commands if block.said.get("not run") == ""]
    assert not silent
    if page not in SCENES and page not in NOT_RUN:
        assert [block.name for block in commands if "not run" not in block.said] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_exist(page: str) -> None:
    targets = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for words in command_lines(page):
        if words[0] == "make":
            wanted = [word for word in words[1:] if "=" not in word and "/" not in word]
            assert all(f"make {target} " in targets for target in wanted), words
        else:
            assert_known(words[1:])


def assert_known(words: list[str]) -> None:
    command: click.Command = grader
    options = {"--help", "-h", "--version"}
    for place, word in enumerate(words):
        if word in ("|", ">", "&&", ";"):
            return
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(click.Context(command), word)
            if word.isupper() or "|" in word:  # COMMAND stands for any
                return
            assert found is not None, words
            command = found
        elif word.startswith("--") or (word.startswith("-") and word[1:].isalpha()):
            known = {name for one in command.params for name in one.opts} | options
            assert word.partition("=")[0] in known, (words, place)


class TestTheRunner:
    """It fails when a guide is wrong."""

    @pytest.mark.parametrize(
        ("language", "text", "said"),
        [
            ("sh", "false\ntrue\n", {}),
            ("sh", "true\n", {"status": "3"}),
            ("console", "$ echo one\ntwo\n", {}),
            ("console", "$ echo one two\none\n", {}),
            ("console", "$ false\n", {}),
            ("console", "$ (exit 4)\n$ echo $?\n3\n", {}),
            ("text", "three\n", {"output": ""}),
            ("text", "four\n", {"shows": "file"}),
        ],
    )
    def test_it_sees(self, tmp_path: Path, language: str, text: str, said: dict[str, str]) -> None:
        (tmp_path / "file").write_text("five\n", encoding="utf-8")
        shell = Shell(tmp_path, tmp_path, tmp_path / "state")
        with pytest.raises(AssertionError):
            shell.run(Block("page", 1, language, text, said))

    def test_it_goes_on_where_the_block_before_ended(self, tmp_path: Path) -> None:
        shell = Shell(tmp_path, tmp_path, tmp_path / "state")
        for block in (
            Block("page", 1, "sh", "mkdir x y\ncd x\nexport WORD='a b'\n", {}),
            Block("page", 2, "text", "content\n", {"file": "file"}),
            Block("page", 3, "console", "$ cat file; echo $WORD\ncontent\na b\n$ cd ../y\n", {}),
            Block("page", 4, "console", "$ (exit 3)\n$ echo $?\n3\n$ basename \\\n  $PWD\ny\n", {}),
            Block("page", 5, "", "y\n", {"output": ""}),
            Block("page", 6, "", "content\n", {"shows": "../x/file"}),
        ):
            shell.run(block)

    def test_dots_are_anything(self) -> None:
        assert like("a\n...\nd\n", "a\nb\nc\nd\n")
        assert not like("a\n...\nd\n", "a\nb\nc\n")

    def test_blocks_know_what_the_comments_before_them_say(self) -> None:
        found = {block.name for block in blocks("docs/operators.md") if "not run" in block.said}
        assert len(found) >= 3
        assert {"sh", "console"} <= SHELLS
