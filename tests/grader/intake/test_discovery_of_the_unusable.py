"""What can't be used is named, and nothing is lost."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from class_folders import COURSE, NB, fill, kinds, notebook, pairs, posix, zipped
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from grader.intake.discovery import discover
from grader.intake.reading import read_submission


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
    fill(root, {"alice/embeddings.ipynb": NB, "bob/answers.docx": b"", "bob/b.xlsx": b""})
    (root / "carl").mkdir()
    found = discover([root], COURSE)
    assert found.students == ("alice", "bob", "carl")
    assert kinds(found) == [("nothing-usable", "bob", None), ("nothing-usable", "carl", None)]
    assert found.problems[0].hint == "it holds answers.docx, b.xlsx"
    assert found.problems[1].hint == "it is empty"


def test_a_huge_file_is_reported_for_its_assignment(root):
    fill(root, {"alice/embeddings.ipynb": b"", "bob/embeddings.ipynb": NB})
    with (root / "alice/embeddings.ipynb").open("wb") as stream:
        stream.truncate(100 << 20)
    found = discover([root], COURSE)
    assert [one.student for one in found.submissions] == ["bob"]
    assert kinds(found) == [("unreadable", "alice", "embeddings")]
    assert "100 MiB, the limit is 64 MiB" in found.problems[0].message


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
