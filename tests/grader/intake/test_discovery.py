from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from grader.config.course import AssignmentConfig, Course, load_course
from grader.errors import ConfigError, IntakeError, NothingToGrade, UsageError
from grader.intake.discovery import Discovery, discover
from grader.intake.reading import read_submission

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX file types")

TABLE = """
[tool.grader]
id = "transformer"
title = "Build a Transformer"
assignments = [
    {id = "embeddings", title = "Embeddings", aliases = ["hw1"]},
    {id = "blocks", title = "Transformer blocks", aliases = ["hw2"]},
    {id = "full_model", title = "The full model"},
    {id = "weight_tying", title = "Weight tying"},
]
"""


def _load(table: str) -> Course:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pyproject.toml").write_text(table, encoding="utf-8")
        return load_course(Path(folder))


COURSE = _load(TABLE)


def notebook(assignment: str | None = None, source: str = "x = 1") -> bytes:
    metadata = {"grader": {"assignment": assignment}} if assignment else {}
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []}]
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}).encode()


Files = Mapping[str, bytes]


def fill(root: Path, files: Files) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    root.mkdir(exist_ok=True)
    return root


def zipped(path: Path, files: Files) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def pairs(found: Discovery) -> list[tuple[str, str, str]]:
    return [(one.student, one.assignment, one.name) for one in found.submissions]


def kinds(found: Discovery) -> list[tuple[str, str | None, str | None]]:
    return [(problem.kind, problem.student, problem.assignment) for problem in found.problems]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "submissions"


NB = notebook()

# ---------------------------------------------------------------- layouts

LAYOUTS: list[tuple[Files, list[tuple[str, str, str]]]] = [
    (
        {"alice/embeddings.ipynb": NB, "bob/01-Embeddings (2).ipynb": NB, "bob/hw2.py": b"x"},
        [
            ("alice", "embeddings", "embeddings.ipynb"),
            ("bob", "blocks", "hw2.py"),
            ("bob", "embeddings", "01-Embeddings (2).ipynb"),
        ],
    ),
    (
        {
            "alice/embeddings/work.ipynb": NB,
            "alice/blocks/work.ipynb": NB,
            "bob/blocks/x.ipynb": NB,
        },
        [
            ("alice", "blocks", "work.ipynb"),
            ("alice", "embeddings", "work.ipynb"),
            ("bob", "blocks", "x.ipynb"),
        ],
    ),
    (
        {"alice.ipynb": notebook("blocks"), "embeddings_bob.ipynb": NB, "bob-blocks_v2.ipynb": NB},
        [
            ("alice", "blocks", "alice.ipynb"),
            ("bob", "blocks", "bob-blocks_v2.ipynb"),
            ("bob", "embeddings", "embeddings_bob.ipynb"),
        ],
    ),
    (
        {
            "wrap/alice/embeddings.ipynb": NB,
            "wrap/bob/embeddings.ipynb": NB,
            "wrap/README.txt": b"",
        },
        [("alice", "embeddings", "embeddings.ipynb"), ("bob", "embeddings", "embeddings.ipynb")],
    ),
    (
        {"submissions/alice/embeddings.ipynb": NB, "submissions/README.txt": b""},
        [("alice", "embeddings", "embeddings.ipynb")],
    ),
    (
        {"alice/deep/er/embeddings.ipynb": NB, "bob/hw1.ipynb": NB},
        [("alice", "embeddings", "embeddings.ipynb"), ("bob", "embeddings", "hw1.ipynb")],
    ),
    (
        {"embeddings/alice/x.ipynb": NB, "embeddings/bob/x.ipynb": NB, "blocks/alice/y.ipynb": NB},
        # one of the folders has one person only: still folders of assignments
        [
            ("alice", "blocks", "y.ipynb"),
            ("alice", "embeddings", "x.ipynb"),
            ("bob", "embeddings", "x.ipynb"),
        ],
    ),
]


@pytest.mark.parametrize(("files", "expected"), LAYOUTS)
def test_a_folder_and_its_archives_give_the_same(root, tmp_path, files, expected):
    assert pairs(discover([fill(root, files)], COURSE)) == expected
    flat = zipped(tmp_path / "flat.zip", files)
    assert pairs(discover([flat], COURSE)) == expected
    wrapped = zipped(tmp_path / "x.zip", {f"submissions/{name}": files[name] for name in files})
    assert pairs(discover([wrapped], COURSE)) == expected


@pytest.mark.parametrize(
    "files",
    [
        {"embeddings.ipynb": NB, "02 blocks.ipynb": notebook(source="y")},
        {"embeddings/a.ipynb": NB, "blocks/b.ipynb": NB},
        {"embeddings.ipynb": NB, "blocks/b.ipynb": NB, "data/x.csv": b""},
    ],
)
def test_a_folder_of_assignments_is_one_students(tmp_path, files):
    for path in (
        fill(tmp_path / "alice", files),
        zipped(tmp_path / "alice.zip", files),
        zipped(tmp_path / "download.zip", {f"alice/{name}": files[name] for name in files}),
        fill(tmp_path / "all", {f"alice/{name}": files[name] for name in files}),
    ):
        found = discover([path], COURSE)
        assert [(one.student, one.assignment) for one in found.submissions] == [
            ("alice", "blocks"),
            ("alice", "embeddings"),
        ]
        assert found.problems == ()


def test_a_folder_with_a_file_of_no_telling_name_is_one_students(tmp_path):
    path = fill(tmp_path / "alice", {"Untitled1.ipynb": notebook("blocks")})
    assert pairs(discover([path], COURSE)) == [("alice", "blocks", "Untitled1.ipynb")]


def test_an_assignments_folder_of_a_student_can_be_named(tmp_path):
    fill(tmp_path / "submitted", {"alice/embeddings/work.ipynb": NB})
    found = discover([tmp_path / "submitted/alice/embeddings"], COURSE)
    assert pairs(found) == [("alice", "embeddings", "work.ipynb")]


def test_a_folder_named_after_an_assignment_holds_its_students(tmp_path):
    path = fill(tmp_path / "embeddings", {"alice.ipynb": NB, "bob.ipynb": NB, "carl/x.ipynb": NB})
    assert [(one.student, one.assignment) for one in discover([path], COURSE).submissions] == [
        ("alice", "embeddings"),
        ("bob", "embeddings"),
        ("carl", "embeddings"),
    ]


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("alice/embeddings.ipynb", "alice"),
        ("alice/embeddings/hw1.py", "alice"),
        ("x/embeddings_bob.ipynb", "bob"),
    ],
)
def test_a_single_file_is_its_students(tmp_path, name, student):
    fill(tmp_path, {name: NB})
    assert [one.student for one in discover([tmp_path / name], COURSE).submissions] == [student]


def test_a_single_file_that_names_its_student_is_told_by_its_metadata(tmp_path):
    fill(tmp_path, {"carl.ipynb": notebook("full_model")})
    assert pairs(discover([tmp_path / "carl.ipynb"], COURSE)) == [
        ("carl", "full_model", "carl.ipynb")
    ]


def test_archives_inside_a_folder_are_students_or_their_files(root):
    zipped(root / "alice.zip", {"embeddings.ipynb": NB})
    zipped(root / "bob/work.zip", {"some/where/hw1.ipynb": NB, "hw2.py": b"x"})
    found = discover([root], COURSE)
    assert pairs(found) == [
        ("alice", "embeddings", "embeddings.ipynb"),
        ("bob", "blocks", "hw2.py"),
        ("bob", "embeddings", "hw1.ipynb"),
    ]
    assert [read_submission(one) for one in found.submissions] == [NB, b"x", NB]
    assert found.problems == ()


def test_each_path_is_looked_at_alone_and_students_come_together(tmp_path):
    fill(tmp_path / "week1", {"alice/embeddings.ipynb": NB, "bob/embeddings.ipynb": NB})
    fill(tmp_path / "week2", {"alice/blocks.ipynb": NB})
    paths = [tmp_path / "week2", tmp_path / "week1", tmp_path / "week1"]
    found = discover(paths, COURSE)
    assert [(one.student, one.assignment) for one in found.submissions] == [
        ("alice", "blocks"),
        ("alice", "embeddings"),
        ("bob", "embeddings"),
    ]
    assert found.problems == ()


def test_the_order_of_paths_and_of_the_disk_makes_no_difference(root):
    files = {f"s{number}/{name}.ipynb": NB for number in range(12) for name in ("hw1", "hw2")}
    first = discover([fill(root, files)], COURSE)
    second = discover([root / f"s{number}" for number in reversed(range(12))], COURSE)
    assert [(s.student, s.assignment, s.path) for s in first.submissions] == [
        (s.student, s.assignment, s.path) for s in second.submissions
    ]
    assert first.students == second.students == tuple(sorted(f"s{number}" for number in range(12)))


# ---------------------------------------------------------------- which assignment


def test_metadata_decides_before_the_name_and_a_difference_is_reported(root):
    found = discover([fill(root, {"alice/blocks.ipynb": notebook("Embeddings")})], COURSE)
    assert pairs(found) == [("alice", "embeddings", "blocks.ipynb")]
    assert kinds(found) == [("mismatch", "alice", "embeddings")]


def test_metadata_of_another_course_is_no_match(root):
    found = discover([fill(root, {"alice/blocks.ipynb": notebook("alchemy")})], COURSE)
    assert found.submissions == ()
    assert kinds(found) == [("unmatched", "alice", None)]
    assert "alchemy" in found.problems[0].message


def test_the_longest_name_wins(root):
    course = _with_assignment("model")
    found = discover([fill(root, {"alice/full_model.ipynb": NB, "alice/model.ipynb": NB})], course)
    assert [(one.assignment, one.name) for one in found.submissions] == [
        ("full_model", "full_model.ipynb"),
        ("model", "model.ipynb"),
    ]


def test_a_name_for_two_assignments_is_ambiguous_unless_its_folder_tells(root):
    files = {"alice/embeddings_blocks.ipynb": NB, "bob/blocks/embeddings_blocks.ipynb": NB}
    found = discover([fill(root, files)], COURSE)
    assert [(one.student, one.assignment) for one in found.submissions] == [("bob", "blocks")]
    assert kinds(found) == [("ambiguous", "alice", None)]


def test_a_file_that_matches_nothing_is_reported_and_the_others_are_graded(root):
    found = discover(
        [fill(root, {"alice/embeddings.ipynb": NB, "alice/scratch.ipynb": NB})], COURSE
    )
    assert pairs(found) == [("alice", "embeddings", "embeddings.ipynb")]
    assert kinds(found) == [("unmatched", "alice", None)]
    assert "scratch.ipynb" in found.problems[0].where


def test_a_root_that_only_mentions_an_assignment_decides_nothing(tmp_path):
    path = fill(tmp_path / "blocks-course-2024", {"alice/work.ipynb": NB, "bob.ipynb": NB})
    assert kinds(discover([path], COURSE)) == [
        ("unmatched", "alice", None),
        ("unmatched", "bob", None),
    ]


def test_the_only_file_is_for_the_only_assignment_asked_for(root):
    fill(root, {"alice/work.ipynb": NB, "bob/a.ipynb": NB, "bob/b.ipynb": NB, "carl/hw2.ipynb": NB})
    found = discover([root], COURSE, assignments=["embeddings"])
    assert pairs(found) == [("alice", "embeddings", "work.ipynb")]
    assert kinds(found) == [("unmatched", "bob", None)] * 2
    assert found.students == ("alice", "bob", "carl")


def test_the_names_of_the_courses_own_notebooks_are_known(root, tmp_path):
    fill(tmp_path / "notebooks", {"04_tying.ipynb": notebook("weight_tying")})
    course = _with_assignment("model", notebooks=tmp_path / "notebooks")
    found = discover([fill(root, {"alice/Tying (1).ipynb": NB})], course)
    assert pairs(found) == [("alice", "weight_tying", "Tying (1).ipynb")]


def _with_assignment(name: str, notebooks: Path | None = None) -> Course:
    more = (*COURSE.assignments, AssignmentConfig(id=name, title=name))
    return msgspec.structs.replace(COURSE, assignments=more, notebooks=notebooks)


# ---------------------------------------------------------------- never a guess


def test_two_different_files_for_one_assignment_are_both_left_alone(root):
    files = {
        "alice/embeddings.ipynb": NB,
        "alice/embeddings (1).ipynb": notebook(source="y"),
        "alice/blocks.ipynb": NB,
    }
    found = discover([fill(root, files)], COURSE)
    assert pairs(found) == [("alice", "blocks", "blocks.ipynb")]
    assert kinds(found) == [("duplicate", "alice", "embeddings")]
    assert "embeddings (1).ipynb" in found.problems[0].where


def test_a_notebook_and_its_script_are_two_candidates(root):
    found = discover([fill(root, {"a/embeddings.ipynb": NB, "a/embeddings.py": b"x"})], COURSE)
    assert kinds(found) == [("duplicate", "a", "embeddings")]
    assert found.submissions == ()


def test_equal_copies_are_one_candidate_and_reported(root):
    found = discover(
        [fill(root, {"a/embeddings.ipynb": NB, "a/embeddings - Copy.ipynb": NB})], COURSE
    )
    assert len(found.submissions) == 1
    assert kinds(found) == [("duplicate", "a", "embeddings")]
    assert "equal" in found.problems[0].message


def test_an_unreadable_candidate_is_a_candidate(root):
    fill(root, {"a/embeddings.ipynb": NB})
    with (root / "a/embeddings2.ipynb").open("wb") as stream:
        stream.truncate(100 << 20)
    found = discover([root], COURSE)
    assert found.submissions == ()
    assert kinds(found) == [("duplicate", "a", "embeddings")]


def test_helpers_in_an_assignments_folder_yield_to_its_notebook(root):
    files = {"a/embeddings/work.ipynb": NB, "a/embeddings/tools.py": b"x", "b/hw1/hw1.ipynb": NB}
    files |= {"b/hw1/extra.ipynb": notebook(source="z")}
    found = discover([fill(root, files)], COURSE)
    assert [(one.student, one.name) for one in found.submissions] == [
        ("a", "work.ipynb"),
        ("b", "hw1.ipynb"),
    ]
    assert kinds(found) == [("unmatched", "a", None), ("unmatched", "b", None)]


@posix
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice", "alice"),
        ("Mu\u0308ller", "Müller"),
        ("ﬁn", "fin"),
        ("straße", "STRASSE"),
        ("ℂ", "c"),
    ],
)
def test_students_who_are_alike_are_not_graded(root, one, other):
    fill(root, {f"{one}/embeddings.ipynb": NB, "bob/embeddings.ipynb": NB})
    fill(root, {f"{other}/embeddings.ipynb": notebook(source="y")})
    if len(list(root.iterdir())) != 3:
        pytest.skip("this file system takes the two names for one")
    found = discover([root], COURSE)
    assert [submission.student for submission in found.submissions] == ["bob"]
    assert [problem.kind for problem in found.problems] == ["same-student"] * 2
    assert "bob" in found.students


def test_students_who_are_alike_in_an_archive_are_not_graded(tmp_path):
    files = {"alice/embeddings.ipynb": NB, "ALICE/blocks.ipynb": NB, "bob/blocks.ipynb": NB}
    found = discover([zipped(tmp_path / "a.zip", files)], COURSE)
    assert [submission.student for submission in found.submissions] == ["bob"]


@posix
def test_a_name_that_had_to_be_changed_is_reported_without_its_escapes(root):
    found = discover(
        [fill(root, {"ev\x1b[31m\u202eil/embeddings.ipynb": NB, "b/hw1.py": b"x"})], COURSE
    )
    assert [one.student for one in found.submissions] == ["b", "ev[31mil"]
    (problem,) = found.problems
    assert problem.kind == "renamed"
    assert "\x1b" not in problem.message + problem.where
    assert "ev\\x1b[31m\\u202eil" in problem.message


def test_a_file_of_nobody_beside_students_is_reported(root):
    files = {"alice/hw1.ipynb": NB, "embeddings.ipynb": NB, "blocks/x.ipynb": NB}
    found = discover([fill(root, files)], COURSE)
    assert [one.student for one in found.submissions] == ["alice"]
    assert kinds(found) == [("unowned", None, "blocks"), ("unowned", None, "embeddings")]


# ---------------------------------------------------------------- what can't be used


def test_litter_is_left_out_and_other_files_are_no_problem(root):
    litter = [
        ".DS_Store",
        "alice/.ipynb_checkpoints/embeddings-checkpoint.ipynb",
        "alice/__pycache__/x.py",
        "alice/._embeddings.ipynb",
        "alice/Thumbs.db",
        "__MACOSX/alice/._embeddings.ipynb",
        "alice/.git/hooks/a.py",
        "alice/venv/pyvenv.cfg",
        "alice/venv/lib/x.py",
        "alice/README.txt",
        "alice/plot.png",
        "notes.txt",
    ]
    files = dict.fromkeys(litter, NB) | {"alice/embeddings.ipynb": NB}
    expected = [("alice", "embeddings", "embeddings.ipynb")]
    for path in (fill(root, files), zipped(root.parent / "a.zip", files)):
        found = discover([path], COURSE)
        assert pairs(found) == expected
        assert found.problems == ()
        assert found.students == ("alice",)


def test_a_student_with_nothing_usable_is_seen_and_reported(root):
    fill(root, {"alice/embeddings.ipynb": NB, "bob/answers.docx": b"", "bob/b.rar": b""})
    (root / "carl").mkdir()
    found = discover([root], COURSE)
    assert found.students == ("alice", "bob", "carl")
    assert kinds(found) == [("nothing-usable", "bob", None), ("nothing-usable", "carl", None)]
    assert found.problems[0].hint == "it holds answers.docx, b.rar"
    assert found.problems[1].hint == "it is empty"


def test_a_huge_file_is_reported_for_its_assignment(root):
    fill(root, {"alice/embeddings.ipynb": b"", "bob/embeddings.ipynb": NB})
    with (root / "alice/embeddings.ipynb").open("wb") as stream:
        stream.truncate(100 << 20)
    found = discover([root], COURSE)
    assert [one.student for one in found.submissions] == ["bob"]
    assert kinds(found) == [("unreadable", "alice", "embeddings")]
    assert "100 MiB, the limit is 10 MiB" in found.problems[0].message


def test_a_notebook_saved_as_text_is_reported_with_its_right_name(root):
    found = discover([fill(root, {"alice/embeddings.ipynb.txt": NB, "b/hw1.ipynb": NB})], COURSE)
    assert kinds(found) == [("unreadable", "alice", "embeddings")]
    assert "embeddings.ipynb," in found.problems[0].hint


def test_a_damaged_archive_is_its_students_problem(root):
    fill(root, {"alice.zip": b"PK", "bob/work.zip": b"no", "carl/hw1.ipynb": NB})
    found = discover([root], COURSE)
    assert kinds(found) == [("unreadable", "alice", None), ("unreadable", "bob", None)]
    assert found.students == ("alice", "bob", "carl")
    assert len(found.submissions) == 1


def test_bad_members_are_refused_by_name_and_the_others_used(root):
    zipped(root / "alice.zip", {"embeddings.ipynb": NB, "../../evil.ipynb": NB, "inner.zip": b"PK"})
    found = discover([root], COURSE)
    assert pairs(found) == [("alice", "embeddings", "embeddings.ipynb")]
    assert kinds(found) == [("unreadable", "alice", None)] * 2
    assert sorted(problem.where.split("!")[1] for problem in found.problems) == [
        "../../evil.ipynb",
        "inner.zip",
    ]


@posix
def test_links_and_pipes_are_reported_and_not_followed(root, tmp_path):
    secret = fill(tmp_path / "secret", {"embeddings.ipynb": NB})
    fill(root, {"alice/embeddings.ipynb": NB, "bob/x.txt": b""})
    (root / "bob" / "embeddings.ipynb").symlink_to(secret / "embeddings.ipynb")
    (root / "carl").symlink_to(secret)
    (root / "alice" / "more").symlink_to(root)
    os.mkfifo(root / "alice" / "blocks.ipynb")
    found = discover([root], COURSE)
    assert [one.student for one in found.submissions] == ["alice"]
    assert kinds(found) == [
        ("unreadable", "alice", None),
        ("unreadable", "alice", "blocks"),
        ("unreadable", "bob", "embeddings"),
        ("unreadable", "carl", None),
    ]


@posix
def test_a_file_name_that_is_not_utf8_is_reported(root):
    fill(root, {"alice/embeddings.ipynb": NB, "bob/x": b""})
    try:
        (root / "bob" / os.fsdecode(b"hw1\xff.ipynb")).write_bytes(NB)
        (root / os.fsdecode(b"car\xfflos")).mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    found = discover([root], COURSE)
    assert [one.student for one in found.submissions] == ["alice"]
    assert kinds(found) == [
        ("unreadable", "bob", "embeddings"),
        ("renamed", "carlos", None),
        ("unreadable", "carlos", None),
    ]
    json.dumps([problem.where for problem in found.problems]).encode("utf-8")


def test_too_many_files_of_one_student_leave_the_others_graded(root):
    files = {f"alice/{number}.ipynb": b"" for number in range(201)} | {"bob/hw1.ipynb": NB}
    found = discover([fill(root, files)], COURSE)
    assert [one.student for one in found.submissions] == ["bob"]
    assert kinds(found) == [("too-many", "alice", None)]


def test_a_folder_too_deep_is_reported(root):
    deep = "/".join("abcdefghijklmnopqrst")
    found = discover([fill(root, {f"alice/{deep}/hw1.ipynb": NB, "bob/hw1.ipynb": NB})], COURSE)
    assert [one.student for one in found.submissions] == ["bob"]
    assert kinds(found) == [("unreadable", "alice", None)]


_UNREADABLE = """
import os, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
import msgspec
from grader.config.course import Course
from grader.intake.discovery import discover
from grader.errors import IntakeError, UsageError
course = msgspec.json.decode(sys.argv[2], type=Course, dec_hook=lambda kind, value: kind(value))
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)
found = discover([Path(sys.argv[1])], course)
print([(p.kind, p.student, p.assignment) for p in found.problems])
print([s.student for s in found.submissions])
try:
    discover([Path(sys.argv[1]) / "bob"], course)
except (IntakeError, UsageError) as error:
    print(type(error).__name__, error.message)
"""


@posix
def test_what_may_not_be_read_is_reported(tmp_path):
    root = fill(tmp_path / "s", {"alice/hw1.ipynb": NB, "bob/hw1.ipynb": NB, "carl/hw1.ipynb": NB})
    for folder in (root, *root.parents):
        mine = folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & stat.S_ISVTX
        if mine and folder.is_relative_to("/tmp"):  # pytest makes them 0o700
            folder.chmod(0o755)
    (root / "alice/hw1.ipynb").chmod(0)
    (root / "bob").chmod(0)
    course = msgspec.json.encode(COURSE, enc_hook=str).decode()
    path = [str(Path(__file__).parents[3]), *sys.path]
    try:
        done = subprocess.run(
            [sys.executable, "-c", _UNREADABLE, str(root), course, *path],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        (root / "bob").chmod(0o755)
    if "ModuleNotFoundError" in done.stderr or "Permission denied: '/root" in done.stderr:
        pytest.skip("an ordinary user can't import the grader from here")
    assert done.stdout.splitlines() == [
        "[('unreadable', 'alice', 'embeddings'), ('unreadable', 'bob', None)]",
        "['carl']",
        "IntakeError permission to look into it is denied",
    ], done.stderr


# ---------------------------------------------------------------- what was asked for


def test_only_the_students_named_are_looked_at(root):
    fill(root, {f"{name}/embeddings.ipynb": NB for name in ("alice", "bob", "Müller")})
    found = discover([root], COURSE, only=["BOB", "Mu\u0308ller"])
    assert found.students == ("Müller", "bob")
    assert [one.student for one in found.submissions] == ["Müller", "bob"]
    with pytest.raises(UsageError) as error:
        discover([root], COURSE, only=["alise"])
    assert "'alice'" in error.value.hint


def test_only_the_assignments_named_are_looked_at(root):
    files = {f"alice/{name}.ipynb": NB for name in ("embeddings", "blocks", "full_model")}
    found = discover([fill(root, files)], COURSE, assignments=["blocks", "full_model"])
    assert [one.assignment for one in found.submissions] == ["blocks", "full_model"]
    assert found.problems == ()
    with pytest.raises(ConfigError, match="blox"):
        discover([root], COURSE, assignments=["blox"])


@pytest.mark.parametrize("files", [{}, {"README.txt": b"", ".hidden/embeddings.ipynb": NB}])
def test_a_folder_without_submissions_is_nothing_to_grade(root, tmp_path, files):
    for path in (fill(root, files), zipped(tmp_path / "a.zip", files)):
        with pytest.raises(NothingToGrade):
            discover([path], COURSE)


def test_a_path_that_is_no_submission_is_a_usage_error(tmp_path):
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "b.zip").write_text("")
    for name in ("no", "a.txt", "x\0y"):
        with pytest.raises(UsageError):
            discover([tmp_path / name], COURSE)
    with pytest.raises(IntakeError, match="zip"):
        discover([tmp_path / "b.zip"], COURSE)


# ---------------------------------------------------------------- nothing is lost

names = st.sampled_from(
    ["alice", "bob", "embeddings", "02-Blocks", "full model (1)", "work", "x", "tying & blocks"]
)
entries = st.tuples(
    st.lists(names, max_size=3),
    names | st.text("abñ é_-1", min_size=1, max_size=5).filter(str.strip),
    st.sampled_from([".ipynb", ".py", ".PY", ".ipynb.txt"]),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(entries, min_size=1, max_size=8), st.booleans())
@example([([], "hw1", ".py"), (["hw1", "a"], "x", ".py"), (["hw1", "b"], "x", ".py")], False)
def test_every_file_is_a_submission_or_named_in_a_problem(tmp_path_factory, found_in, as_zip):
    base = tmp_path_factory.mktemp("tree")
    files = {
        "/".join([*folders, stem + ending]): notebook(source=str(number))
        for number, (folders, stem, ending) in enumerate(found_in)
    }
    path = zipped(base / "s.zip", files) if as_zip else fill(base / "s", files)
    result = discover([path], COURSE)
    contents = [read_submission(one) for one in result.submissions]
    told = " ".join(problem.where for problem in result.problems)
    alike = {problem.student for problem in result.problems if problem.kind == "same-student"}
    for name, content in files.items():
        if content not in contents and not alike:
            # A folder around everything in an archive is the archive.
            inside = name.split("/", 1)[-1]
            assert name in told or inside in told
    keys = [(one.student, one.assignment) for one in result.submissions]
    assert len(set(keys)) == len(keys)
    assert not alike & {student for student, _ in keys}


@pytest.mark.slow
def test_six_thousand_files_are_found_in_seconds(root):
    ids = [assignment.id for assignment in COURSE.assignments]
    fill(
        root,
        {f"s{n}/{name}.ipynb": notebook(name, "#" * 20_000) for n in range(1500) for name in ids},
    )
    start = time.process_time()
    assert len(discover([root], COURSE).submissions) == 6000
    assert time.process_time() - start < 6


def test_a_release_that_is_handed_in_whole_is_its_notebook(tmp_path: Path) -> None:
    (tmp_path / "public/course").mkdir(parents=True)
    course = msgspec.structs.replace(COURSE, public=(tmp_path / "public/course",))
    released = {
        "embeddings.ipynb": notebook("embeddings"),
        "course/__init__.py": b"",
        "course/checks/test_embeddings.py": b"",
        "grader/__init__.py": b"",
        "grader/worker/__init__.py": b"",
    }
    root = tmp_path / "submitted"
    for student in ("ann", "bob"):
        fill(root / student / "embeddings", released)
    found = discover([root], course, assignments=("embeddings",))
    assert [(one.student, one.name) for one in found.submissions] == [
        ("ann", "embeddings.ipynb"),
        ("bob", "embeddings.ipynb"),
    ]
    assert found.problems == ()


def test_a_folder_called_as_the_course_is_looked_at_when_it_is_no_package(tmp_path: Path) -> None:
    root = fill(tmp_path / "in", {"grader/embeddings.ipynb": notebook("embeddings")})
    assert [one.student for one in discover([root], COURSE).submissions] == ["grader"]
