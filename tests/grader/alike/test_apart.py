"""Reading apart: whoever breaks the parser costs nobody else anything."""

from __future__ import annotations

import os
import signal

import pytest

from grader.alike import apart
from grader.alike.apart import Readers, ReadingFailed

ANSWER = "def asked(x, y):\n    z = x.view(2, 3).sum() + y.mean()\n    return z.clamp(0, 1).exp()\n"
ORDER = ([ANSWER], ["asked"])

HOSTILE = [
    "(" * 150_000,
    "-" * 150_000 + "1",
    "lambda:" * 20_000 + "1",
    "f'{" * 5_000,
    "x" + "[x" * 50_000,
    "a=" * 60_000 + "1",
    "if x:\n" + "".join(f"{' ' * n}if x:\n" for n in range(1, 300)),
    "not " * 40_000 + "1",
    "1" + "+1" * 90_000,
    "9" * 150_000,
    "\0" * 1000,
]


def test_the_others_are_read_whatever_one_has_written():
    with Readers(2) as readers:
        found = list(readers.prints([ORDER, *(([one], ["asked"]) for one in HOSTILE), ORDER]))
    assert found[0].answers["asked"]
    assert found[0] == found[-1]
    assert all(one.answers == {} for one in found[1:-1])


def test_a_reader_that_dies_is_replaced():
    with Readers(1) as readers:
        list(readers.prints([ORDER]))
        process = readers._all[0]._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        first, second = readers.prints([ORDER, ORDER])
    assert first.notes == ["the file is more than the parser can take: it is not compared"]
    assert second.answers["asked"]


def test_a_file_that_takes_too_long_is_named(monkeypatch):
    with Readers(1) as readers:
        monkeypatch.setattr(apart, "SECONDS", 0.0)
        (late,) = readers.prints([ORDER])
        monkeypatch.undo()
        (found,) = readers.prints([ORDER])
    assert late.notes == ["the file takes more than 0 s: it is not compared"]
    assert found.answers["asked"]


def test_a_template_is_asked_for_its_stubs():
    with Readers(1) as readers:
        assert readers.stubs(["def f():\n    raise NotImplementedError"]) == ["f"]
        assert readers.stubs(["x = 1"]) == []


def test_nothing_of_a_file_is_run(tmp_path):
    mark = tmp_path / "mark"
    source = f"open({str(mark)!r}, 'w')\ndef asked():\n    open({str(mark)!r}, 'w')"
    with Readers(1) as readers:
        list(readers.prints([([source], ["asked"])]))
    assert not mark.exists()


def test_whoever_can_not_be_asked_says_so(monkeypatch):
    monkeypatch.setattr(apart, "SECONDS", 0.0)
    with Readers(1) as readers, pytest.raises(ReadingFailed):
        readers.stubs([ANSWER])
