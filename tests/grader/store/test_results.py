from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.config.course import Course
from grader.errors import GraderError
from grader.model import (
    Assignment,
    Check,
    Ending,
    EndingKind,
    Isolation,
    Job,
    Limits,
    Outcome,
    Question,
    Run,
    Status,
    Submission,
    Suite,
    Usage,
)
from grader.store.keys import VARIABLE, instructors_key
from grader.store.output import RESULTS
from grader.store.results import UNUSED_S, Results

CHECK = Check(id="test_x", question="q", title="X", points=1, public=False)
SUITE = Suite(
    assignment=Assignment(
        id="adding", title="Adding", questions=(Question(id="q", title="Q", points=1),)
    ),
    checks=(CHECK,),
    files=("/course/hidden/test_adding.py",),
    digest="s" * 64,
)
JOB = Job(
    submission=Submission(
        student="ann", assignment="adding", path="/in/ann.py", name="ann.py", digest="d" * 64
    ),
    suite=SUITE,
    device="cpu",
    seed=0,
    limits=Limits(),
)
RUN = Run(
    submission=JOB.submission,
    outcomes=(Outcome(check="test_x", status=Status.PASSED, seconds=0.1, detail="ünï\n"),),
    output="hello\n",
    isolation=Isolation(mode="full", layers=("seccomp",)),
    usage=Usage(wall_s=1.5, workers=1),
)


def with_submission(**changes: Any) -> Job:
    return msgspec.structs.replace(
        JOB, submission=msgspec.structs.replace(JOB.submission, **changes)
    )


def kept_files(output: Path) -> list[Path]:
    return sorted((output / RESULTS / "runs").iterdir())


def test_what_was_kept_is_found_by_a_later_run(tmp_path: Path) -> None:
    Results(tmp_path).keep(JOB, RUN)
    assert Results(tmp_path).find(JOB) == RUN


DECIDES: dict[str, Job] = {
    "student": with_submission(student="bob"),
    "bytes": with_submission(digest="e" * 64),
    "file name": with_submission(name="ann.ipynb"),
    "suite": msgspec.structs.replace(JOB, suite=msgspec.structs.replace(SUITE, digest="t" * 64)),
    "checks": msgspec.structs.replace(JOB, suite=msgspec.structs.replace(SUITE, checks=())),
    "device": msgspec.structs.replace(JOB, device="cuda:0"),
    "seed": msgspec.structs.replace(JOB, seed=1),
    "limits": msgspec.structs.replace(JOB, limits=Limits(check_s=1)),
}


@pytest.mark.parametrize("what", DECIDES)
def test_it_is_not_found_when_something_that_decides_it_changed(tmp_path: Path, what: str) -> None:
    Results(tmp_path).keep(JOB, RUN)
    assert Results(tmp_path).find(DECIDES[what]) is None


def test_nor_without_the_wall_nor_by_another_grader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Results(tmp_path).keep(JOB, RUN)
    assert Results(tmp_path, sandbox=False).find(JOB) is None
    monkeypatch.setattr("grader.store.results.engine_digest", lambda: "another")
    assert Results(tmp_path).find(JOB) is None


def test_force_finds_nothing_but_keeps(tmp_path: Path) -> None:
    Results(tmp_path).keep(JOB, RUN)
    forced = Results(tmp_path, force=True)
    assert forced.find(JOB) is None
    again = msgspec.structs.replace(RUN, output="again")
    forced.keep(JOB, again)
    assert Results(tmp_path).find(JOB) == again


def test_a_moved_file_keeps_its_result(tmp_path: Path) -> None:
    Results(tmp_path).keep(JOB, RUN)
    moved = with_submission(path="/elsewhere/ann.py", member=3)
    found = Results(tmp_path).find(moved)
    assert found is not None
    assert found.submission == moved.submission


@pytest.mark.parametrize(
    "kind",
    [EndingKind.FAULT, EndingKind.REFUSED, EndingKind.INTERRUPTED, EndingKind.UNREADABLE],
)
def test_what_was_our_fault_is_not_kept(tmp_path: Path, kind: EndingKind) -> None:
    Results(tmp_path).keep(JOB, msgspec.structs.replace(RUN, ending=Ending(kind=kind)))
    assert not (tmp_path / RESULTS).exists()


@pytest.mark.parametrize("kind", [EndingKind.TIME, EndingKind.SIGNAL, EndingKind.MEMORY])
def test_what_was_theirs_is(tmp_path: Path, kind: EndingKind) -> None:
    run = msgspec.structs.replace(RUN, ending=Ending(kind=kind, message="stopped"))
    Results(tmp_path).keep(JOB, run)
    assert Results(tmp_path).find(JOB) == run


def signed(body: bytes) -> bytes:
    """As the grader itself would keep a result of `JOB`."""
    name = hashlib.sha256(repr(Results(Path())._recipe(JOB)).encode()).hexdigest()
    return instructors_key(Path("/out")).sign(f"runs/{name}", body).encode() + b"\n" + body


def damaged() -> dict[str, Callable[[bytes], bytes]]:
    return {
        "empty": lambda _: b"",
        "cut off": lambda content: content[:-10],
        "zeros, as after a power cut": lambda content: bytes(len(content)),
        "one verdict changed": lambda content: content.replace(b"passed", b"failed"),
        "not JSON": lambda _: signed(b"{"),
        "not UTF-8": lambda _: signed(b'{"submission": "\xff"}'),
        "another type": lambda _: signed(b"[1, 2]"),
        "a field of another type": lambda content: signed(
            content.partition(b"\n")[2].replace(b'"output":"hello\\n"', b'"output":7')
        ),
    }


@pytest.mark.parametrize("damage", damaged())
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: str) -> None:
    results = Results(tmp_path)
    results.keep(JOB, RUN)
    (path,) = kept_files(tmp_path)
    assert signed(path.read_bytes().partition(b"\n")[2]) == path.read_bytes()
    broken = damaged()[damage](path.read_bytes())
    assert broken != path.read_bytes()
    path.write_bytes(broken)
    assert results.find(JOB) is None
    results.keep(JOB, RUN)
    assert results.find(JOB) == RUN


def unkeyed(content: bytes) -> bytes:
    """As an earlier version kept results, and as anybody can make one."""
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def test_better_marks_that_somebody_wrote_there_are_not_believed(tmp_path: Path) -> None:
    failed = msgspec.structs.replace(RUN, outcomes=(Outcome(check="test_x", status=Status.FAILED),))
    Results(tmp_path).keep(JOB, failed)
    (path,) = kept_files(tmp_path)
    body = path.read_bytes().partition(b"\n")[2]
    path.write_bytes(unkeyed(body.replace(b"failed", b"passed")))
    results = Results(tmp_path)
    assert results.find(JOB) is None
    (remark,) = results.remarks()
    assert "1 kept file is not signed with your key" in remark


def test_nor_is_the_signed_result_of_somebody_else(tmp_path: Path) -> None:
    other = with_submission(student="bob", digest="b" * 64)
    Results(tmp_path).keep(JOB, RUN)
    (good,) = kept_files(tmp_path)
    Results(tmp_path).keep(other, msgspec.structs.replace(RUN, outcomes=()))
    (bad,) = [path for path in kept_files(tmp_path) if path != good]
    bad.write_bytes(good.read_bytes())
    assert Results(tmp_path).find(other) is None


def test_what_another_key_signed_is_found_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Results(tmp_path / "out").keep(JOB, RUN)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "another.key"))
    results = Results(tmp_path / "out")
    assert results.find(JOB) is None
    assert len(results.remarks()) == 1
    results.keep(JOB, RUN)
    assert results.find(JOB) == RUN


def test_without_a_key_nothing_is_kept_and_it_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file/results.key"))
    results = Results(tmp_path / "out")
    for _ in range(3):
        results.keep(JOB, RUN)
        assert results.find(JOB) is None
    assert not (tmp_path / "out").exists()
    (remark,) = results.remarks()
    assert remark.startswith("results are not kept for the next run: ")
    assert VARIABLE in remark


def test_nothing_is_said_of_a_good_folder(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.keep(JOB, RUN)
    assert results.find(JOB) == RUN
    assert results.find(with_submission(student="bob")) is None
    assert results.remarks() == []


def test_so_is_a_folder_in_its_place(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.keep(JOB, RUN)
    (path,) = kept_files(tmp_path)
    path.unlink()
    path.mkdir()
    assert results.find(JOB) is None


@given(at=st.integers(0, 1 << 20), byte=st.integers(1, 255))
def test_no_single_wrong_byte_is_believed(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    output = tmp_path_factory.mktemp("out")
    Results(output).keep(JOB, RUN)
    (path,) = kept_files(output)
    content = bytearray(path.read_bytes())
    content[at % len(content)] ^= byte
    path.write_bytes(content)
    assert Results(output).find(JOB) is None


def test_what_no_run_had_use_for_in_half_a_year_is_forgotten(tmp_path: Path) -> None:
    results = Results(tmp_path)
    other = with_submission(student="bob")
    for job in (JOB, other):
        results.keep(job, RUN)
    long_ago = time.time() - UNUSED_S - 1
    for path in kept_files(tmp_path):
        os.utime(path, (long_ago, long_ago))
    assert results.find(JOB) is not None
    results.forget_unused()
    assert results.find(JOB) is not None
    assert results.find(other) is None
    assert len(kept_files(tmp_path)) == 1


def test_forgetting_passes_over_what_it_can_not_remove(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.forget_unused()  # nothing was ever kept
    results.keep(JOB, RUN)
    (folder := tmp_path / RESULTS / "runs/folder").mkdir()
    os.utime(folder, (1, 1))
    results.forget_unused()
    assert folder.is_dir()
    assert results.find(JOB) == RUN


def test_what_can_not_be_kept_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    (tmp_path / RESULTS).write_text("in the way")
    with pytest.raises(GraderError) as caught:
        Results(tmp_path).keep(JOB, RUN)
    assert caught.value.hint


# ---------------------------------------------------------------- suites, times


def test_suites_are_found_while_their_files_stay_the_same(
    tmp_path: Path, toy_course: Course
) -> None:
    from grader.store.fingerprint import suite_digests

    digest = suite_digests(toy_course, ["adding"])["adding"]
    suites = {"adding": msgspec.structs.replace(SUITE, digest=digest)}
    results = Results(tmp_path)
    assert results.find_suites(toy_course, ()) is None
    results.keep_suites(toy_course, suites)
    assert results.find_suites(toy_course, ()) == suites
    assert results.find_suites(toy_course, ["adding"]) == suites
    assert Results(tmp_path, force=True).find_suites(toy_course, ()) is None
    (path,) = (tmp_path / RESULTS / "suites").iterdir()
    signed = path.read_bytes()
    path.write_bytes(unkeyed(signed.partition(b"\n")[2].replace(b'"points":1', b'"points":9')))
    assert Results(tmp_path).find_suites(toy_course, ()) is None
    path.write_bytes(signed)
    assert toy_course.reference is not None
    (toy_course.reference / "new.py").write_text("")
    assert results.find_suites(toy_course, ()) is None


def test_times_come_from_the_last_gradebook(tmp_path: Path) -> None:
    assert Results(tmp_path).seconds() == {}
    (tmp_path / "gradebook.json").write_text(
        '{"scores": [1], "run": {"seconds_per_submission": {"ann/adding": 2.5}}}'
    )
    assert Results(tmp_path).seconds() == {"ann/adding": 2.5}
    assert Results(tmp_path).late() == frozenset()
    (tmp_path / "gradebook.json").write_text("{")
    assert Results(tmp_path).seconds() == {}
    assert Results(tmp_path).late() == frozenset()


def test_without_a_folder_nothing_is_kept() -> None:
    results = Results(None)
    results.keep(JOB, RUN)
    assert results.find(JOB) is None
    assert results.late() == frozenset()
    assert results.seconds() == {}
