"""Nothing private leaves the house: a mark is planted in every private file and looked for.

The project is copied, each private file is marked with a word of its own, and everything that is
ever given away is built from the copy by the real commands. Then every byte of it is searched, also
inside archives. Tests at the end leak on purpose: a search that finds nothing proves nothing.
"""

from __future__ import annotations

import ast
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.authoring.answers import clear_solution
from grader.authoring.lessons import lesson_paths, read_lesson
from grader.config.course import load_course
from grader.exit_status import ExitStatus

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PRIVATE = ("solutions", "tests", "examples")
MADE_BY_TOOLS = {".git", ".hypothesis", ".venv", "build", "dist", "node_modules", "out", "reports"}
MARK = re.compile(rb"canary[0-9a-f]{16}")


def mark_of(name: str) -> str:
    """A word that names a file and occurs nowhere else."""
    return f"canary{hashlib.sha256(name.encode()).hexdigest()[:16]}"


# ---------------------------------------------------------------- planting


def plant(project: Path) -> dict[str, str]:
    """Mark every private file; the files by their marks."""
    given = given_functions(project)
    planted = {}
    for path in sorted(p for folder in PRIVATE for p in (project / folder).rglob("*")):
        if not path.is_file():
            continue
        name = path.relative_to(project).as_posix()
        mark = mark_of(name)
        planted[mark] = name
        if name.startswith(("solutions/lessons/", "solutions/practice/")):
            text = mark_lesson(path.read_text(encoding="utf-8"), mark)
        elif path.suffix == ".py" and name.startswith("solutions/"):
            text = mark_functions(path.read_text(encoding="utf-8"), mark, given)
        else:
            with path.open("ab") as file:
                file.write(f"\n# {mark}\n".encode())
            continue
        path.write_text(text, encoding="utf-8")
    return planted


def given_functions(project: Path) -> set[str]:
    """Functions of the reference whose bodies students get: lessons say so."""
    lessons = lesson_paths(load_course(project)).values()
    cells = [cell for path in lessons for cell in read_lesson(path).cells]
    return {name.rpartition(".")[2] for cell in cells for name in cell.given}


def mark_functions(source: str, mark: str, given: set[str]) -> str:
    """Mark the body of each function, and the module at its end."""
    lines = source.split("\n")
    functions = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name not in given
    ]
    for node in sorted(functions, key=lambda node: -node.lineno):
        answer = node.body[1:] if ast.get_docstring(node) else node.body
        if answer and answer[0].lineno > node.lineno:
            line = lines[answer[0].lineno - 1]
            indent = line[: len(line) - len(line.lstrip())]
            lines.insert(answer[0].lineno - 1, f'{indent}_{mark} = "{mark}"  # {mark}')
    return "\n".join([*lines, f"# {mark}", ""])


def mark_lesson(source: str, mark: str) -> str:
    """Mark solution regions and what is for instructors, and add more of that."""
    text = re.sub(r"^( *)### BEGIN SOLUTION", rf"\g<0>\n\1# {mark}", source, flags=re.M)
    text = re.sub(r"^# %%.*instructor.*$", rf"\g<0>\n# {mark}", text, flags=re.M)
    return (
        f'{text}\n# %% [markdown] tags=["instructor"]\n# {mark}\n\n'
        f'# %% tags=["instructor"]\nprint("{mark}")\n'
    )


# ---------------------------------------------------------------- building


def grader(project: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader.cli", *map(str, arguments)],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def release(project: Path, output: Path) -> None:
    for arguments in (["release"], ["release", "--output", output]):
        result = grader(project, *arguments)
        assert result.returncode == 0, result.stderr


def build(project: Path, output: Path) -> None:
    """Wheel and sdist; the wheel is built from the sdist, as pip would."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(output), "."]
    result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def copied(folder: Path) -> Path:
    """The project without what tools left at its top: a package of ours may be called the same."""

    def left(place: str, names: list[str]) -> set[str]:
        made = {name for name in names if name in MADE_BY_TOOLS or name.endswith("_cache")}
        return {"__pycache__"} | (made if Path(place) == ROOT else set())

    return Path(shutil.copytree(ROOT, folder / "project", ignore=left))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    project = copied(tmp_path_factory.mktemp("canary"))
    marks = plant(project)
    output = project.parent / "out"
    release(project, output)
    build(project, output / "packages")
    return project, marks


# ---------------------------------------------------------------- searching


def marks_in(data: bytes) -> set[str]:
    """The marks in some bytes and, if they are an archive, in all its members."""
    return {mark.decode() for part in opened(data) for mark in MARK.findall(part)}


def opened(data: bytes) -> Iterator[bytes]:
    yield data
    if data[:2] == b"\x1f\x8b":
        yield from opened(gzip.decompress(data))
    elif data[:1] == b"\x78":
        try:
            yield from opened(zlib.decompress(data))
        except zlib.error:
            return
    elif zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield archive.comment
            for info in archive.infolist():
                yield info.filename.encode() + info.comment + info.extra
                yield from opened(archive.read(info))
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive.getmembers():
                yield member.name.encode() + repr(member.pax_headers).encode()
                if (file := archive.extractfile(member)) is not None:
                    yield from opened(file.read())


def released_files(project: Path) -> dict[str, bytes]:
    """Everything that is given away, by name."""
    output = project.parent / "out"
    files = {
        path.name: path.read_bytes()
        for path in (*output.glob("student.zip"), *output.glob("packages/*"))
    }
    for path in sorted((project / "course").rglob("*")):
        if path.is_file():
            files[path.relative_to(project).as_posix()] = path.read_bytes()
    for path in sorted((output / "nbgrader/source").rglob("*.ipynb")):
        files[f"nbgrader release of {path.stem}"] = released_by_nbgrader(path)
    return files


def released_by_nbgrader(path: Path) -> bytes:
    """What nbgrader makes of a source notebook: its solution regions are cleared.

    That the real nbgrader does the same is tested in tests/grader/test_nbgrader_tree.py.
    """
    notebook = json.loads(path.read_bytes())
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = clear_solution("".join(cell["source"]))
    return json.dumps(notebook).encode()


def leaks(project: Path, marks: dict[str, str]) -> dict[str, list[str]]:
    """What was given away, and the private files of which something is in it."""
    found = {name: marks_in(data) for name, data in released_files(project).items()}
    return {name: sorted(marks[mark] for mark in hits) for name, hits in found.items() if hits}


# ---------------------------------------------------------------- tests


def test_nothing_private_is_given_away(planted: tuple[Path, dict[str, str]]) -> None:
    project, marks = planted
    files = released_files(project)
    assert {Path(name).suffix for name in files} >= {".zip", ".whl", ".gz", ".ipynb", ".py"}
    assert leaks(project, marks) == {}


def test_every_private_file_is_marked(planted: tuple[Path, dict[str, str]]) -> None:
    project, marks = planted
    assert {name.split("/")[1] for name in marks.values() if name.startswith("solutions/")} >= {
        "lessons", "mutants", "suites", "tiny_transformer",
    }  # fmt: skip
    assert any(name.startswith("tests/styles/") for name in marks.values())
    assert "examples/make_class.py" in marks.values()
    for mark, name in marks.items():
        assert marks_in((project / name).read_bytes()) == {mark}


def test_the_instructors_tree_shows_that_marks_reach_the_solutions(
    planted: tuple[Path, dict[str, str]],
) -> None:
    project, marks = planted
    trees = sorted((project.parent / "out/nbgrader/source").rglob("*.ipynb"))
    assert trees
    for path in trees:
        sources = ["".join(cell["source"]) for cell in json.loads(path.read_bytes())["cells"]]
        answers = [source for source in sources if "### BEGIN SOLUTION" in source]
        # from the reference; or from the lesson, where it is a part of a definition
        places = ("solutions/tiny_transformer/", "solutions/lessons/")
        found = [
            marks[mark].startswith(places)
            for answer in answers
            for mark in marks_in(answer.encode())
        ]
        assert found, path
        assert all(found), path


def test_names_of_private_folders_are_in_no_archive(planted: tuple[Path, dict[str, str]]) -> None:
    project, _ = planted
    output = project.parent / "out"
    (wheel,) = (output / "packages").glob("*.whl")
    (sdist,) = (output / "packages").glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(output / "student.zip") as two:
        names = one.namelist() + two.namelist()
    with tarfile.open(sdist) as archive:
        names += archive.getnames()
    for name in names:
        assert not set(PRIVATE) & set(name.split("/")[:2]), name


def test_the_wheel_holds_the_whole_course_to_start_from(
    planted: tuple[Path, dict[str, str]],
) -> None:
    project, _ = planted
    (wheel,) = (project.parent / "out/packages").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    held = {name for name in names if name.startswith("grader/authoring/templates/")}
    files = (path for path in (project / "grader/authoring/templates").rglob("*") if path.is_file())
    assert "grader/reports/__init__.py" in names
    assert held == {path.relative_to(project).as_posix() for path in files}


def test_marks_are_found_in_every_wrapping() -> None:
    mark = mark_of("x").encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep.txt.gz", gzip.compress(b"x" * 999 + mark))
    bundle = io.BytesIO()
    with tarfile.open(fileobj=bundle, mode="w:gz") as tar:
        info = tarfile.TarInfo("inner.zip")
        info.size = len(stream.getvalue())
        tar.addfile(info, io.BytesIO(stream.getvalue()))
    assert mark not in bundle.getvalue()
    assert marks_in(bundle.getvalue()) == {mark.decode()}
    assert marks_in(zlib.compress(mark)) == {mark.decode()}


# ---------------------------------------------------------------- leaks on purpose


@pytest.fixture
def leaky(planted: tuple[Path, dict[str, str]], tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A copy of the marked project with nothing built yet."""
    project, marks = planted
    return Path(shutil.copytree(project, tmp_path / "project")), marks


def test_a_solution_in_a_public_module_is_found(leaky: tuple[Path, dict[str, str]]) -> None:
    project, marks = leaky
    source = "solutions/tiny_transformer/embeddings.py"
    answer = (project / source).read_text(encoding="utf-8")
    parts = project / "course/parts.py"
    # as a note, so that the module can still be imported
    note = "".join(f"# {line}\n" for line in answer.splitlines())
    parts.write_text(parts.read_text(encoding="utf-8") + note, encoding="utf-8")
    release(project, project.parent / "out")
    assert leaks(project, marks) == {"course/parts.py": [source], "student.zip": [source]}


def test_an_instructors_note_that_lost_its_tag_is_found(leaky: tuple[Path, dict[str, str]]) -> None:
    project, marks = leaky
    lesson = project / "solutions/lessons/01_embeddings.py"
    text = lesson.read_text(encoding="utf-8")
    lesson.write_text(text.replace(' tags=["instructor"]', ""), encoding="utf-8")
    release(project, project.parent / "out")
    assert set(leaks(project, marks)) == {
        "student.zip", "course/notebooks/01_embeddings.ipynb", "nbgrader release of embeddings",
    }  # fmt: skip


def test_a_package_that_takes_too_much_is_found(leaky: tuple[Path, dict[str, str]]) -> None:
    project, marks = leaky
    config = project / "pyproject.toml"
    text = config.read_text(encoding="utf-8")
    assert 'only-include = ["grader",' in text
    config.write_text(
        text.replace('only-include = ["grader",', 'only-include = ["solutions", "grader",')
    )
    build(project, project.parent / "out/packages")
    found = leaks(project, marks)
    assert [Path(name).suffix for name in found] == [".gz"]
    assert any("suites" in name for name in next(iter(found.values())))


def test_a_whole_private_file_stops_the_release(leaky: tuple[Path, dict[str, str]]) -> None:
    project, _ = leaky
    shutil.copy(project / "solutions/suites/test_weight_tying.py", project / "course/more.py")
    result = grader(project, "release", "--output", project.parent / "out")
    assert result.returncode == ExitStatus.USAGE
    assert "course/more.py" in result.stderr
    assert not (project.parent / "out/student.zip").exists()
