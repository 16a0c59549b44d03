"""What follows a magic's name, as it is read for a grading."""

from __future__ import annotations

import pytest

from grader.worker.commands import OUTPUT_NAMES, once, without_options


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("f(1)", "f(1)"),
        ("-n 1000 f()", "f()"),
        ("-n1000 -r7 f()", "f()"),
        ("-r 3 -n 5 -o f(-n)", "-o f(-n)"),
        ("-q -o f()", "-q -o f()"),
        ("-x + 1", "-x + 1"),
        ("", ""),
    ],
)
def test_timeit_runs_once_whatever_is_asked_for(line: str, kept: str) -> None:
    words = once(line).split()
    assert words[:4] == ["-n", "1", "-r", "1"]
    assert words[4:] == kept.split()


@pytest.mark.parametrize(
    ("valued", "line", "statement"),
    [
        ("rti", "f(1)", "f(1)"),
        ("rti", "-r 1 -t 5 f(1)", "f(1)"),
        ("rti", "-c -r1 f(1)", "f(1)"),
        ("fTr", "-f f -f g f(-1)", "f(-1)"),
        ("rti", "", ""),
        ("rti", "-r", ""),
    ],
)
def test_options_before_a_statement_are_dropped(valued: str, line: str, statement: str) -> None:
    assert without_options(valued, line) == statement


def test_names_for_a_scripts_output_are_found() -> None:
    assert OUTPUT_NAMES.findall("--out text --err errors --no-raise-error") == ["text", "errors"]
    assert OUTPUT_NAMES.findall("--out=größe") == ["größe"]
    assert OUTPUT_NAMES.findall("--outer x -c 'a'") == []
