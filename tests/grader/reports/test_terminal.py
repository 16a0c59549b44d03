from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from grader.errors import NothingToGrade
from grader.model import Isolation, Problem
from grader.reports.terminal import (
    PROBLEMS_SHOWN,
    Progress,
    console,
    print_checks,
    print_error,
    print_scores,
)

TITLES = ("Embeddings", "Blocks", "Full model", "Weight tying", "Memory estimation", "Generation")


def plain(width: int = 80) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, markup=False)


def text_of(terminal: Console) -> str:
    assert isinstance(terminal.file, io.StringIO)
    return terminal.file.getvalue()


def shown(gradebook, width: int = 80, reports=()) -> tuple[str, str]:
    out, err = plain(width), plain(width)
    print_scores(gradebook, reports, out=out, err=err)
    return text_of(out), text_of(err)


@pytest.fixture
def six(gradebook, assignment, make_score):
    """Six assignments, all handed in by people with names of every length."""
    ids = [title.lower().replace(" ", "_") for title in TITLES]
    assignments = tuple(
        msgspec.structs.replace(assignment, id=name, title=title)
        for name, title in zip(ids, TITLES, strict=True)
    )
    scores = tuple(
        msgspec.structs.replace(make_score(student), assignment=name)
        for student in ("ada", "chen.wei@uni.example", "zoë-" * 12)
        for name in ids
    )
    return msgspec.structs.replace(gradebook, assignments=assignments, scores=scores)


def test_marks_can_be_read_without_colour(gradebook):
    table, _ = shown(gradebook)
    lines = {line.split()[0]: line.split()[1:] for line in table.splitlines() if line.split()}
    assert lines["ada"] == ["✓", "6"]
    assert lines["bo"] == ["◐", "3"]
    assert lines["chen"] == ["?"]
    assert lines["dmitri"] == ["·"]
    assert "✓ 1 full marks   ◐ 1 in part   ? 1 ungraded   · 1 missing" in table


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_the_table_fits_and_loses_nothing(six, width):
    table, _ = shown(six, width)
    assert max(len(line) for line in table.splitlines()) <= width
    assert "…" not in table
    letters = "".join(table.split())
    for name in ("ada", "Embeddings", "Generation"):
        assert name in letters
    assert table.count("✓") == 18 + 1


def test_six_assignments_have_their_titles_as_headings_in_80_columns(six):
    heading = shown(six, 80)[0].split("───")[0]
    assert [word in heading for word in ("Embeddings", "estimation", "Total")] == [True] * 3
    assert "1 Embeddings" not in heading


def test_an_unknown_sum_is_marked(six, make_score):
    from grader.gradebook import State

    first = msgspec.structs.replace(six.scores[0], state=State.UNGRADED, earned=0.0)
    table, _ = shown(msgspec.structs.replace(six, scores=(first, *six.scores[1:])))
    (ada,) = (line for line in table.splitlines() if line.strip().startswith("ada"))
    assert ada.rstrip().endswith("30 ?")


def test_ungraded_problems_isolation_and_reports_go_to_stderr(gradebook):
    out, err = shown(gradebook, reports=(Path("r/gradebook.json"), Path("r/feedback/a/b.md")))
    assert "chen embeddings: a worker was not built" in err
    assert "bo embeddings: two files could be meant: submissions/bo\n    hint: keep one" in err
    assert "Isolation: full (namespaces, landlock, seccomp)" in err
    assert "Report: r/gradebook.json\nReport: r/feedback\n" in err
    assert "hint" not in out


def test_a_folder_of_reports_is_named_once_whatever_folders_it_lies_in(gradebook):
    output = Path("students/checks")
    inside = ("index.html", "students/a.html", "checks/sums/b.html", "checks/sums/c.html")
    _, err = shown(gradebook, reports=[output / path for path in inside])
    told = [line.removeprefix("Report: ") for line in err.splitlines() if "Report: " in line]
    assert told == [str(output / name) for name in ("students", "checks", "index.html")]


def test_grading_without_isolation_is_loud(gradebook):
    _, err = shown(msgspec.structs.replace(gradebook, isolation=Isolation(mode="off")))
    assert "WARNING: graded without isolation" in err


def test_a_flood_of_problems_is_cut_and_counted(gradebook):
    many = tuple(Problem(kind="k", message=f"m{n}") for n in range(PROBLEMS_SHOWN + 7))
    _, err = shown(msgspec.structs.replace(gradebook, problems=many))
    assert f"Problems ({PROBLEMS_SHOWN + 7})" in err
    assert "… and 7 more: see gradebook.json" in err


def test_names_are_neither_markup_nor_escapes(gradebook, make_score):
    scores = (make_score("[red]x[/red]"), make_score("\x1b[2Jy\u202e"), make_score(":smile:"))
    table, _ = shown(msgspec.structs.replace(gradebook, scores=scores))
    assert "[red]x[/red]" in table
    assert r"\x1b[2Jy\u202e" in table
    assert ":smile:" in table
    assert "\x1b" not in table


def test_colour_is_only_where_it_is_wanted(gradebook, monkeypatch):
    def bytes_with(**variables: str) -> str:
        for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        out = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="standard")
        print_scores(gradebook, out=out, err=plain())
        return text_of(out)

    assert "\x1b[32m" in bytes_with(TERM="xterm")
    assert "\x1b[32m" not in bytes_with(TERM="xterm", NO_COLOR="1")


def test_a_poor_encoding_gets_other_symbols_and_never_fails(gradebook, make_score):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    out = console(stream)
    print_scores(msgspec.structs.replace(gradebook, scores=(make_score("zoë"),)), out=out, err=out)
    stream.flush()
    assert b"+ 6" in raw.getvalue()
    assert rb"zo\xeb" in raw.getvalue()


def test_a_pipe_is_not_folded(six, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    out = console(stream)
    print_scores(six, out=out, err=plain())
    stream.flush()
    stream.seek(0)
    assert "zoë-" * 12 in stream.read()


def test_checks_are_listed_under_their_questions(suite):
    out = plain(120)
    print_checks([suite], out=out)
    assert text_of(out).splitlines() == [
        "Embeddings (embeddings): 5 points",
        "  Shapes (shapes): 3",
        "        3  public  The output is `(B, T, d_model)`",
        "  Scale by sqrt(d_model) (scale): 2",
        "        2  hidden  Token vectors are scaled",
        "  Extra (extra): 1 bonus",
        "        1  hidden  More",
    ]


def test_an_error_says_what_where_and_what_next():
    err = plain(40)
    print_error(
        NothingToGrade("no submission was found", where="a/very/long/path/" * 4, hint="do [this]"),
        err=err,
    )
    assert text_of(err) == (
        f"error: no submission was found, {'a/very/long/path/' * 4}\nhint: do [this]\n"
    )


def test_an_error_without_place_and_hint_is_one_line():
    err = plain()
    print_error(NothingToGrade("nothing"), err=err)
    assert text_of(err) == "error: nothing\n"


def test_progress_says_nothing_where_there_is_no_terminal(make_score):
    stream = io.StringIO()
    with Progress(stream=stream) as progress:
        progress.start(1)
        progress.finished(make_score())
    assert stream.getvalue() == ""


@pytest.mark.parametrize("quiet", [True, False])
def test_verbose_progress_is_a_line_for_each_submission_unless_quiet(make_score, quiet):
    stream = io.StringIO()
    with Progress(stream=stream, verbose=True, quiet=quiet) as progress:
        progress.start(2)
        progress.finished(make_score("ada"))
        progress.problem(Problem(kind="k", message="odd", hint="look"))
    expected = "✓ 6/5 ada embeddings\n  odd\n    hint: look\n"
    assert [line.rstrip() for line in stream.getvalue().splitlines()] == (
        [] if quiet else expected.splitlines()
    )


def terminal(monkeypatch, **variables: str) -> io.StringIO:
    """A stream that rich takes for a terminal."""
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "60", **variables}.items():
        monkeypatch.setenv(name, value)
    return io.StringIO()


class Handed:
    """As much of a submission as progress needs."""

    def __init__(self, student: str) -> None:
        self.student, self.assignment = student, "embeddings"


def test_a_terminal_sees_how_far_it_is_and_who_takes_long(monkeypatch, make_score):
    monkeypatch.setattr("grader.reports.pace.SLOW_S", 0.0)
    stream = terminal(monkeypatch)
    with Progress(stream=stream) as progress:
        progress.start(5, kept=2)
        for student in ("ada", "bo[b]", "c\x1b[2Jy", "dan", "eve"):
            progress.begun(Handed(student))
        progress.finished(make_score("ada"))
        progress.problem(Problem(kind="k", message="odd"))
        progress._bar.refresh()
    written = stream.getvalue()
    assert "3/5" in written
    assert "1 problem" in written
    assert "bo[b] embeddings: running for 0 s" in written
    assert "… and 1 more" in written
    assert "\x1b[2Jy" not in written


def test_progress_without_colour_has_none(monkeypatch, make_score):
    stream = terminal(monkeypatch, NO_COLOR="1")
    with Progress(stream=stream) as progress:
        progress.start(1)
        progress.finished(make_score())
    assert "\x1b[3" not in stream.getvalue()
    assert "1/1" in stream.getvalue()


@pytest.mark.parametrize(("quiet", "lines"), [(False, 2), (True, 0)])
def test_a_log_hears_of_progress_now_and_then(monkeypatch, make_score, quiet, lines):
    now = iter(range(0, 1000, 20))
    monkeypatch.setattr("grader.reports.terminal.time.monotonic", lambda: next(now))
    stream = io.StringIO()
    with Progress(stream=stream, quiet=quiet) as progress:
        progress.start(9)
        for _ in range(2 * (lines or 1)):
            progress.finished(make_score())
    written = stream.getvalue().splitlines()
    assert len(written) == lines
    assert all(line.startswith("Graded ") and " of 9: " in line for line in written)


def test_a_stopped_run_says_how_to_go_on(gradebook, make_score):
    from grader.gradebook import State
    from grader.model import Ending, EndingKind

    stopped = msgspec.structs.replace(
        make_score("zoe"),
        state=State.UNGRADED,
        ending=Ending(kind=EndingKind.INTERRUPTED, message="the run was stopped"),
    )
    _, err = shown(msgspec.structs.replace(gradebook, scores=(stopped,), complete=False))
    assert "Stopped before the end: what is finished is kept\nhint: run the same" in err
    assert "zoe" not in err


def test_what_was_kept_is_counted(gradebook):
    run = msgspec.structs.replace(gradebook.run, kept=7)
    _, err = shown(msgspec.structs.replace(gradebook, run=run))
    assert "7 unchanged since an earlier run" in err


def test_an_interrupted_progress_gives_the_cursor_back(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    with suppress(KeyboardInterrupt), Progress(stream=stream) as progress:
        progress.start(1)
        raise KeyboardInterrupt
    written = stream.getvalue()
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")
