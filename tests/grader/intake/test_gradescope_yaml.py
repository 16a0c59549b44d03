"""What Gradescope says of the submissions that it exports, and what it must not do to us."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.intake.gradescope_yaml import load, read_metadata
from grader.intake.listing import Node
from grader.intake.reading import Reader
from grader.times import parse_time

EXPORT = """---
submission_11:
  :submitters:
  - :name: Ann Doe
    :sid: '4711'
    :email: ann@example.org
  :created_at: 2026-03-01 22:59:00.123456789 Z
  :score: 3.0
  :status: processed
  :history:
  - :created_at: &1 2026-02-27 10:00:00.000000000 Z
    :score: 1.0
submission_12:
  :submitters:
  - :name: Bo Lee
    :sid:
    :email: bo@example.org
  - :name: Cy Roe
    :sid: ~
    :email: ''
  :created_at: *1
submission_13:
  :submitters: []
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: 2026-03-01 22:59:00.000000000 Z
    zone: !ruby/object:ActiveSupport::TimeZone
      name: America/Los_Angeles
"""


def read(tmp_path: Path, text: str | bytes):
    path = tmp_path / "submission_metadata.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    node = Node(parts=(path.name,), path=str(path), entry=path.name)
    with Reader() as reader:
        return read_metadata(node, reader)


def test_whose_each_submission_is_and_of_when(tmp_path: Path) -> None:
    known, problems = read(tmp_path, EXPORT)
    assert problems == []
    assert {name: [one.student for one in handed] for name, handed in known.items()} == {
        "submission_11": ["Ann Doe_4711"],
        "submission_12": ["bo@example.org", "Cy Roe_12"],
        "submission_13": [],
    }
    assert known["submission_11"][0].submitted_at == parse_time("2026-03-01T22:59:00.123456+00:00")
    assert known["submission_12"][0].submitted_at == parse_time("2026-02-27T10:00:00+00:00")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("submission_1: text", "Expected `object`"),
        ("submission_1: {':submitters': text}", "Expected `array`"),
        ("submission_1: {':submitters': [{':name': [1]}]}", "Expected `str`"),
        ("submission_1: {':submitters': &a [{':name': A}]}\nsubmission_2: {':submitters': *a}", "null"),
    ],
)  # fmt: skip
def test_one_entry_that_is_no_submission_costs_nobody_else_theirs(tmp_path, entry, why) -> None:
    known, problems = read(tmp_path, f"{EXPORT}{entry}\n")
    assert set(known) >= {"submission_11", "submission_12", "submission_13"}
    (problem,) = problems
    assert why in problem.message


@pytest.mark.parametrize("time", ["soon", "", "[1]", "{a: b}", "{utc: [1]}", "9999-99-99 00:00 Z"])
def test_a_time_that_can_not_be_read_is_no_time(tmp_path: Path, time: str) -> None:
    entry = "submission_1:\n  :submitters: [{':name': A, ':sid': '1'}]\n  :created_at: "
    known, _ = read(tmp_path, f"{entry}{time}\n")
    assert known["submission_1"][0].submitted_at is None


LAUGHS = "\n".join(
    [
        "l0: &l0 [lol, lol]",
        *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)),
    ]
)
MERGES = "\n".join(
    ["m0: &m0 {a: b}", *(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, 12))]
)  # fmt: skip


@pytest.mark.parametrize("bomb", [LAUGHS, MERGES])
def test_aliases_multiply_nothing(bomb: str) -> None:
    assert len(repr(load(bomb.encode()))) < 2_000


def test_a_document_may_not_contain_itself() -> None:
    assert load(b"a: &a [*a]") == {"a": [None]}


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"- a list", b"a: [", b"\xff\xfe\xff", b"\x00", b"%YAML 9.9\n---\na: b: c",
     b"[" * 100_000, b"a: " + b"{b: " * 1000, b"a: b\n" * 3 + b"\x07"],
)  # fmt: skip
def test_what_is_no_mapping_is_reported(tmp_path: Path, content: bytes) -> None:
    known, problems = read(tmp_path, content)
    assert known == {}
    assert [one.kind for one in problems] == ["metadata"]


def test_a_tag_makes_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = f"a: !!python/object/apply:os.system ['touch {mark}']\n"
    assert load(text.encode()) == {"a": [f"touch {mark}"]}
    assert not mark.exists()
