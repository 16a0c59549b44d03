from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from grader.model import CellError, Ending, EndingKind, Isolation, Pythons, Status
from grader.reports.feedback import CELL_ERRORS, ENDINGS, OUTPUT_LIMIT
from grader.reports.feedback_markdown import render
from grader.scoring.points import missing

SECRET = "hidden-input-4711"
FULL = Isolation(mode="full")
FAILED = (Status.FAILED, Status.FAILED, Status.PASSED)
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False, "html": True})


def kinds(document: str) -> set[str]:
    tokens = MARKDOWN.parse(document)
    inline = [child for token in tokens for child in token.children or []]
    return {token.type for token in (*tokens, *inline)}


def test_full_marks_are_said_first_and_nothing_is_left_to_do(make_score, assignment):
    text = render(make_score(), assignment, FULL)
    assert text.startswith(
        "# Embeddings: 6 of 5 points\n\nStudent: `ada` · File: `embeddings.ipynb`"
    )
    assert "| Scale by sqrt(d_model) | 2 of 2 |" in text
    assert "| Extra (bonus) | 1 of 1 |" in text
    assert "- ✓ **The output is `(B, T, d_model)`** (public): passed, 3 of 3" in text
    assert "every check passed" in text
    assert "Hint" not in text


def test_a_check_that_did_not_pass_shows_message_and_hint(make_score, assignment):
    score = make_score(statuses=FAILED, message="wrong shape; expected (2, 3), got (3, 2)")
    text = render(score, assignment, FULL)
    assert "- ✗ **The output is `(B, T, d_model)`** (public): failed, 0 of 3" in text
    assert "    - wrong shape; expected (2, 3), got (3, 2)\n    - Hint: Look at `x.shape`." in text
    assert "- ✗ **Token vectors are scaled** (hidden): failed, 0 of 2" in text
    assert "first check that did not pass: “The output is `(B, T, d_model)`”" in text


@pytest.mark.parametrize("status", list(Status))
def test_what_is_for_instructors_is_never_shown(make_score, assignment, status):
    score = make_score(statuses=(status,) * 3)
    assert any(outcome.detail == SECRET for outcome in score.outcomes)
    assert SECRET not in render(score, assignment, FULL)


def test_cells_are_named_by_the_students_own_numbers(make_score, assignment):
    error = CellError(
        cell=3, line=2, error="NameError", message="name 'x' is not defined", source_line=" y = x*2"
    )
    text = render(make_score(statuses=FAILED, cell_errors=(error,)), assignment, FULL)
    assert "- Cell 3, line 2: `NameError: name 'x' is not defined`\n    - `y = x*2`" in text
    assert "Begin with cell 3" in text


@pytest.mark.parametrize("saved_with", ["3.99", ""])
def test_an_older_python_is_told_and_named_where_it_says_what_to_do(
    make_score, assignment, saved_with
):
    error = CellError(cell=3, error="SyntaxError", message="f-string: expecting '}'")
    failed = (Status.ERROR, Status.PASSED, Status.PASSED)
    score = make_score(statuses=failed, cell_errors=(error,))
    assert "Python 3.11" not in render(score, assignment, FULL)
    pythons = Pythons("3.11", saved_with)
    text = render(msgspec.structs.replace(score, pythons=pythons), assignment, FULL)
    assert "raded with Python 3.11" in text
    assert ("saved with Python 3.99" in text) is bool(saved_with)
    assert "write it as Python 3.11 knows it" in text.partition("## What to do next")[2]


def test_many_cell_errors_are_counted_and_not_all_listed(make_score, assignment):
    errors = tuple(CellError(cell=n, error="E", message="m") for n in range(CELL_ERRORS + 5))
    text = render(make_score(cell_errors=errors), assignment, FULL)
    assert text.count("- Cell ") == CELL_ERRORS
    assert "and 5 more" in text


def test_every_ending_that_is_theirs_has_words():
    theirs = {kind for kind in EndingKind if not Ending(kind=kind).ours}
    assert set(ENDINGS) == theirs - {EndingKind.COMPLETED, EndingKind.UNREADABLE}


def test_a_limit_is_named_in_plain_words(make_score, assignment):
    told = Ending(kind=EndingKind.MEMORY, message="code cell 2 asked for more than 4 GiB")
    assert "**Your code was stopped:** code cell 2 asked" in render(
        make_score(ending=told), assignment, FULL
    )
    bare = Ending(kind=EndingKind.DISK)
    assert "more to disk than a submission may" in render(make_score(ending=bare), assignment, FULL)


def test_a_grader_fault_is_not_blamed_on_the_student(make_score, assignment):
    ending = Ending(kind=EndingKind.FAULT, message=f"internal {SECRET}")
    text = render(make_score(ending=ending), assignment, FULL)
    assert text.startswith("# Embeddings: not graded\n")
    assert "the grader's fault, not yours" in text
    assert "0 of" not in text
    assert SECRET not in text


def test_an_unreadable_file_is_explained(make_score, assignment):
    ending = Ending(kind=EndingKind.UNREADABLE, message="this is a web page, not a notebook")
    text = render(make_score(ending=ending), assignment, FULL)
    assert text.startswith("# Embeddings: not graded\n")
    assert "this is a web page, not a notebook" in text
    assert "save it as a notebook" in text


def test_nothing_handed_in_is_said(suite, assignment):
    assert "**Nothing was handed in.**" in render(missing("bo", suite), assignment, FULL)


@pytest.mark.parametrize(("mode", "warned"), [("off", True), ("full", False), ("pod", False)])
def test_grading_without_isolation_is_said(make_score, assignment, mode, warned):
    text = render(make_score(), assignment, Isolation(mode=mode))
    assert ("without isolation" in text) is warned


def test_long_output_is_shortened_and_says_so(make_score, assignment):
    text = render(make_score(output="start" + "x" * 100_000 + "end"), assignment, FULL)
    assert len(text) < OUTPUT_LIMIT + 2_000
    assert "start" in text
    assert "end\n```" in text
    assert "characters left out" in text


def test_a_title_with_a_pipe_does_not_break_the_table(make_score, assignment):
    question = msgspec.structs.replace(assignment.questions[0], title="Either `a | b` or | both")
    odd = msgspec.structs.replace(assignment, questions=(question, *assignment.questions[1:]))
    types = [token.type for token in MARKDOWN.parse(render(make_score(), odd, FULL))]
    assert types.count("tr_open") == 1 + len(assignment.questions) + 1
    assert types.count("td_open") == 2 * (len(assignment.questions) + 1)
    tokens = MARKDOWN.parse(render(make_score(), odd, FULL))
    first, second = [tokens[n + 1] for n, t in enumerate(tokens) if t.type == "td_open"][:2]
    assert "".join(c.content for c in first.children or []) == "Either a | b or | both"
    assert second.content == "3 of 3"


HOSTILE = st.text(st.characters(), max_size=60) | st.lists(
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "![](http://e.vil/a.png)",
            "[x](javascript:x)",
            "```",
            "`",
            "\n",
            "\n\n# Full marks\n",
            "|",
            "> ",
            "---",
            "    ",
            "\x1b[2J",
            "\u202e",
            "\n- ✓ **",
            "1. ",
            "~~~",
        ]
    ),
    max_size=8,
).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HOSTILE)
def test_nothing_that_a_student_writes_is_active(make_score, assignment, text):
    harmless = make_score(
        "x", FAILED, "x", cell_errors=(CellError(cell=1, error="x", message="x", source_line="x"),),
        output="x", ending=Ending(kind=EndingKind.TIME, message="x"),
    )  # fmt: skip
    hostile = make_score(
        text, FAILED, text, output=text + "x", ending=Ending(kind=EndingKind.TIME, message=text),
        cell_errors=(CellError(cell=1, error=text, message=text, source_line=text),),
    )  # fmt: skip
    hostile = msgspec.structs.replace(hostile, file=text or "x")
    document = render(hostile, assignment, FULL)
    assert kinds(document) <= kinds(render(harmless, assignment, FULL)) | {"text_special"}
    headings = [
        token.content
        for before, token in zip(
            MARKDOWN.parse(document), MARKDOWN.parse(document)[1:], strict=False
        )
        if before.type == "heading_open"
    ]
    assert headings == [
        "Embeddings: 1 of 5 points",
        "Your score",
        "The checks",
        "Shapes",
        "Scale by sqrt(d_model)",
        "Extra (bonus)",
        "Cells that raised an error",
        "What to do next",
        "What your notebook printed",
    ]
