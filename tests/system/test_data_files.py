"""Data files: the same path wherever a notebook runs, the course's own bytes, and none that hide."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import pytest
from cities import HIDDEN, LENGTHS, RIGHT, write_cities
from commands import assert_clear, grader
from toy import Silent, notebook, write
from walled import LIMITS, MODES

from grader.authoring.release import release
from grader.authoring.student_release import student_files, student_zip
from grader.config.course import Course, load_course
from grader.errors import ReleaseError
from grader.gradebook import Gradebook
from grader.judging.engine import load_suites
from grader.judging.spawning import Zygote, spawn
from grader.judging.worker_link import WorkerLink
from grader.pipeline import Options, check
from grader.store.fingerprint import suite_digests
from grader.testing.links import StudentError
from grader.testing.operations import Op


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_cities(tmp_path / "cities")


def graded(course: Path, submissions: Path) -> dict[str, dict[str, float]]:
    found: Gradebook = check([submissions], load_course(course), Options(), Silent())
    return {score.student: dict(score.questions) for score in found.scores}


FULL = {"file": 1.0, "adding": 2.0}
SEARCH = """
    import os
    found = []
    for place in (HIDDEN, ORIGINAL):
        try:
            found.append(open(place).read())
        except OSError:
            pass
    for top, _, names in os.walk("/"):
        found += [name for name in names if name == "others.csv"]
    def rows(path):
        return 3 if not found else -1
"""


def test_the_file_of_the_course_is_what_a_grading_reads(root: Path, tmp_path: Path) -> None:
    work = tmp_path / "submissions"
    write(work / "ada/rivers.py", RIGHT)
    write(work / "ben/rivers.py", RIGHT)
    write(work / "ben/data/rivers/lengths.csv", "a changed copy,1\n")
    write(work / "cleo/rivers.ipynb", notebook("import os; os.chdir('data')", RIGHT))
    hidden, original = root / "private/data/others.csv", root / "handout/data/rivers/lengths.csv"
    search = SEARCH.replace("HIDDEN", repr(str(hidden))).replace("ORIGINAL", repr(str(original)))
    write(work / "dan/rivers.py", search)
    write(work / "eve/rivers.py", "open('data/rivers/lengths.csv', 'w').write('x')\n" + RIGHT)
    found = graded(root, work)
    assert found["ada"] == FULL
    assert found["ben"] == FULL, "what a submission brings along does not matter"
    assert found["cleo"] == {"file": 0.0, "adding": 2.0}, "a path is relative to where one is"
    assert found["dan"] == {"file": 1.0, "adding": 0.0}, "it could read hidden data"
    assert original.read_text(encoding="utf-8") == LENGTHS


# ---------------------------------------------------------------- through every wall


@pytest.fixture
def zygote(root: Path) -> Iterator[Zygote]:
    course = load_course(root)
    data = {one.id: course.data_of(one.id) for one in course.assignments}
    with Zygote(preload=[], data=data, private=course.private) as found:
        found.wait_ready()
        yield found


TRY = """
import json, os, pathlib
def denied(action):
    try:
        action()
    except OSError:
        return True
    return False
FILE = "data/rivers/lengths.csv"
pathlib.Path("own.txt").write_text("x")
found = {
    "text": pathlib.Path(FILE).read_text(),
    "walked": sorted(map(str, pathlib.Path(".").rglob("*.csv"))),
    "denied": [
        denied(lambda: open(FILE, "a")),
        denied(lambda: open("data/rivers/new.csv", "w")),
        denied(lambda: os.remove(FILE)),
        denied(lambda: os.truncate(FILE, 0)),
        denied(lambda: os.replace("own.txt", FILE)),
        denied(lambda: open(HIDDEN)),
    ],
}
try:
    os.chmod(FILE, 0o666)
except OSError:
    pass
found["mode"] = os.stat(FILE).st_mode & 0o777
print(json.dumps(found))
"""


@pytest.mark.parametrize("mode", MODES)
def test_data_can_be_read_and_not_changed(root: Path, zygote: Zygote, mode: str) -> None:
    source = TRY.replace("HIDDEN", repr(str(root / "private/data/others.csv")))
    for assignment, names in {
        "rivers": ["data/rivers/lengths.csv"],
        "people": ["data/rivers/lengths.csv", "people.csv"],
    }.items():
        pipes = spawn(zygote.fileno(), LIMITS, forbidden=MODES[mode], assignment=assignment)
        link = WorkerLink(pipes, LIMITS)
        try:
            link.wait_ready()
            link.allow(10, "")
            link.request(Op.CELL, number=1, source=source, limit_s=5)
            found = json.loads(link.printed())
        except StudentError as error:
            pytest.fail(error.message)
        finally:
            link.close()
        assert found["text"] == LENGTHS
        assert found["walked"] == names
        assert found["denied"] == [True] * 6
        assert found["mode"] == 0o444
    staged = next(zygote.state.glob("data/*/data/rivers/lengths.csv"))
    assert staged.read_text(encoding="utf-8") == LENGTHS


def test_data_is_staged_once(zygote: Zygote) -> None:
    files = [path.name for path in zygote.state.rglob("*.csv")]
    assert sorted(files) == ["lengths.csv", "people.csv"]


# ---------------------------------------------------------------- outside of a grading


def released(root: Path) -> bytes:
    """The archive that students of the course get."""
    course = load_course(root)
    return student_zip(course, load_suites(course, ["rivers"]).values())


def test_a_release_holds_data_where_the_notebook_looks(root: Path, tmp_path: Path) -> None:
    done = grader("release", "--output", str(tmp_path / "out"), cwd=root)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "out/student.zip") as archive:
        data = [name for name in archive.namelist() if name.endswith(".csv")]
        archive.extractall(tmp_path / "home")
    assert data == ["cities/notebooks/data/rivers/lengths.csv"]
    beside = tmp_path / "out/nbgrader/source/rivers/data/rivers/lengths.csv"
    assert beside.read_text(encoding="utf-8") == LENGTHS
    script = f"{RIGHT}\nprint(rows('data/rivers/lengths.csv'))"
    for folder in (tmp_path / "home/cities/notebooks", beside.parents[2]):
        run = subprocess.run(
            [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True
        )
        assert run.stdout == "3\n"


def test_public_checks_at_home_find_the_file(root: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(released(root))) as archive:
        archive.extractall(tmp_path / "home")
    code = (
        f"import sys; sys.path.insert(0, '..')\n{RIGHT}\n"
        "from pathlib import Path\nfrom grader.testing.local import run_checks\n"
        "print([r.passed for r in run_checks(globals(), Path('../handout/checks/test_rivers.py'))])"
    )
    home = tmp_path / "home/cities/notebooks"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=False
    )
    assert run.stdout == "[True]\n", run.stderr


def test_a_whole_release_that_is_handed_in_is_graded(root: Path, tmp_path: Path) -> None:
    work = tmp_path / "submissions/ada"
    work.mkdir(parents=True)
    with (
        zipfile.ZipFile(io.BytesIO(released(root))) as source,
        zipfile.ZipFile(work / "student.zip", "w") as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("01_rivers.ipynb"):
                content = notebook(RIGHT, assignment="rivers").encode()
            target.writestr(name, content)
    assert graded(root, tmp_path / "submissions") == {"ada": FULL}


def test_released_notebooks_in_the_course_have_their_data(root: Path) -> None:
    course = load_course(root)
    suites = load_suites(course, ["rivers"]).values()
    copy = root / "handout/notebooks/data/rivers/lengths.csv"
    with pytest.raises(ReleaseError, match=r"lengths.csv \(is missing\)"):
        release(course, suites, check=True)
    release(course, suites)
    assert copy.read_text(encoding="utf-8") == LENGTHS
    release(course, suites, check=True)
    copy.write_text("changed", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"lengths.csv \(differs\)"):
        release(course, suites, check=True)
    archived = student_files(course, suites, ["rivers"])
    assert [name for name in archived if name.endswith(".csv")] == [
        "notebooks/data/rivers/lengths.csv"
    ]


# ---------------------------------------------------------------- what it decides


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("handout/data/rivers/lengths.csv", {"rivers", "people"}),
        ("private/data/others.csv", {"rivers", "people"}),
        ("handout/people.csv", {"people"}),
    ],
)
def test_a_result_belongs_to_the_data_that_it_was_found_with(
    root: Path, path: str, changed: set[str]
) -> None:
    course: Course = load_course(root)
    before = suite_digests(course, ["rivers", "people"])
    (root / path).write_text("x,1\n", encoding="utf-8")
    after = suite_digests(course, ["rivers", "people"])
    assert {name for name in after if after[name] != before[name]} == changed


def test_the_guide_shows_the_hidden_check_of_this_course() -> None:
    guide = Path(__file__).parents[2] / "docs/write-a-course.md"
    assert indent(HIDDEN.strip(), "    ") in guide.read_text(encoding="utf-8")


def test_a_name_that_is_no_data_file_is_a_clear_error(root: Path) -> None:
    suite = root / "private/suites/test_rivers.py"
    text = suite.read_text(encoding="utf-8").replace('"others.csv"', '"odd.csv"')
    suite.write_text(f"{text}\ndata_path('odd.csv')\n", encoding="utf-8")
    assert_clear(grader("list", cwd=root), 2, "no data file is called `odd.csv`")
