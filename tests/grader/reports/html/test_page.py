"""The pages as text: escaped, self-contained, and under a policy that names what is ours."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from generated import gradebook as generated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.gradebook import Gradebook, Origin, Score
from grader.model import Cell, CellError, Ending, EndingKind, Isolation, Problem, Status
from grader.names import components
from grader.reports.case import Neighbours
from grader.reports.choices import Hidden
from grader.reports.feedback import compose
from grader.reports.html import page
from grader.reports.html.check_page import check_addresses, check_pages
from grader.reports.html.class_report import class_report
from grader.reports.html.code_page import code_page
from grader.reports.html.feedback_page import feedback_page
from grader.reports.html.heat_map import HeatMap, heat_map
from grader.reports.html.page import address, decimal, percentage, prose
from grader.reports.html.student_page import student_page
from grader.reports.students import by_student

SECRET = "hidden-input-4711"
FAILED = (Status.PASSED, Status.FAILED, Status.SKIPPED)


def index(gradebook: Gradebook) -> str:
    return class_report(gradebook, components(score.student for score in gradebook.scores))


def map_of(gradebook: Gradebook) -> HeatMap:
    return heat_map(gradebook, {score.student: "page" for score in gradebook.scores})


def pages_of(gradebook: Gradebook) -> dict[str, str]:
    """Every kind of page that a gradebook gives."""
    pages = {"index": index(gradebook)}
    folders = components(score.student for score in gradebook.scores)
    checks = {one.id: check_addresses(one) for one in gradebook.assignments}
    for assignment in gradebook.assignments:
        found = check_pages(gradebook, assignment, folders)
        pages |= {f"check {number}": page for number, (_, page) in enumerate(found)}
    for number, (student, scores) in enumerate(by_student(gradebook).items()):
        pages[f"student {number}"] = student_page(
            student, "folder", gradebook, scores, checks=checks
        )
        for score in scores.values():
            pages[f"code {number}"] = code_of(gradebook, score)
            told = compose(score, gradebook.assignments[0], gradebook.isolation, Hidden.TITLES)
            pages[f"feedback {number}"] = feedback_page(told)
    return pages


def code_of(gradebook: Gradebook, score: Score) -> str:
    """A code page; the code, its file and an earlier attempt are as hostile as the student."""
    cells = [
        Cell(number=1, source=score.student),
        Cell(number=2, source=f"def add():\n\t{score.file}"),
    ]
    return code_page(
        gradebook,
        gradebook.assignments[0],
        score,
        cells,
        folder="folder",
        results="reports",
        origin=Origin(student=score.student, assignment=score.assignment, path=score.file),
        file="",
        neighbours=Neighbours("../a.html", "../b.html"),
        earlier=(1, [Cell(number=1, source=f"y = 2\n{score.file}")]),
    )


class Page(HTMLParser):
    """Collects what a browser would see of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, set[str]] = {}
        self.links: list[str] = []
        self.inside: str | None = None
        self.sources: dict[str, str] = {}
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.attributes.setdefault(tag, set()).update(values)
        if tag == "a":
            self.links.append(values.get("href") or "")
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"] or ""
        self.inside = tag if tag in ("style", "script") and "type" not in values else None

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.sources[self.inside] = self.sources.get(self.inside, "") + data

    def handle_endtag(self, tag: str) -> None:
        self.inside = None


def test_the_policy_allows_our_style_and_script_by_hash_and_nothing_else(gradebook):
    for name, text in pages_of(gradebook).items():
        page = Page(text)
        assert page.policy.startswith("default-src 'none'; "), name
        for tag, source in page.sources.items():
            digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in page.policy, (name, tag)
        assert "unsafe" not in page.policy
        scripted = not name.startswith("feedback")  # what students get needs none
        assert set(page.sources) == ({"style", "script"} if scripted else {"style"})


def test_pages_load_nothing(gradebook):
    for name, text in pages_of(gradebook).items():
        page = Page(text)
        loading = {"link", "img", "iframe", "object", "embed", "base", "video", "audio"}
        assert not loading & set(page.tags), name
        assert not {"src", "style", "srcset", "action"} & set().union(*page.attributes.values())
        assert not any("://" in link or link.startswith("/") for link in page.links), name


HOSTILE = st.text(st.characters(), max_size=40) | st.lists(
    st.sampled_from(
        [
            "<script>alert(1)</script>", "</script>", "</style>", "<!--", "-->", "<img src=x onerror=a()>",
            "\" onload=\"a()", "' onfocus='a()", "{{ 7*7 }}", "{% raw %}", "javascript:a()", "&lt;",
            "&#60;script&#62;", "`<b>`", "`", "\x1b[2J", "\u202e", "\u2028", "]]>", "\ud800", "\n",
        ]
    ),
    max_size=6,
).map("".join)  # fmt: skip


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(HOSTILE)
def test_nothing_from_outside_becomes_markup(gradebook, make_score, text):
    def book(text: str) -> Gradebook:
        score = make_score(
            "s" + text, FAILED, text, output=text + "x", ending=Ending(kind=EndingKind.TIME, message=text),
            cell_errors=(CellError(cell=1, error=text, message=text, source_line=text + "x"),),
        )  # fmt: skip
        outcomes = tuple(
            msgspec.structs.replace(
                outcome,
                detail="d" + text,
                asked=("submission.add(1)" + text,),
                expected="1" + text,
                actual="2" + text,
                check_line=1,
                cell=number,
                line=1,
            )
            for number, outcome in zip((1, None, 2), score.outcomes, strict=True)
        )
        (asked,) = gradebook.assignments
        (question, *others) = asked.questions
        checks = tuple(
            msgspec.structs.replace(one, source=f"def {text}():\n    {text}", hint="h" + text)
            for one in question.checks
        )
        questions = (msgspec.structs.replace(question, checks=checks), *others)
        return msgspec.structs.replace(
            gradebook,
            assignments=(msgspec.structs.replace(asked, questions=questions),),
            scores=(msgspec.structs.replace(score, file="f" + text, outcomes=outcomes),),
            problems=(
                Problem(kind="duplicate", message="m" + text, where=text, student="s" + text),
            ),
            isolation=Isolation(mode="full", layers=("l" + text,)),
            run=msgspec.structs.replace(gradebook.run, versions={"v" + text: text}),
        )

    harmless, hostile = pages_of(book("x")), pages_of(book(text))
    for name, made in hostile.items():
        expected, found = Page(harmless[name]), Page(made)
        assert set(found.tags) <= set(expected.tags) | {"code", "mark"}, name
        for tag, attributes in found.attributes.items():
            assert attributes <= expected.attributes.get(tag, set()), (name, tag)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b\u2028\ud800-\udfff]", made), name


def test_feedback_shows_no_hidden_value_and_the_instructors_page_does(gradebook):
    pages = pages_of(gradebook)
    assert SECRET not in pages["feedback 1"]
    assert SECRET in pages["student 1"]
    assert "this page may show hidden inputs" in pages["student 1"]


def test_the_index_names_who_needs_attention(gradebook):
    text = index(gradebook)
    attention = text[text.index('id="attention"') : text.index('id="students"')]
    assert attention.index("a worker was not built") < attention.index("two files could be meant")
    assert "dmitri" in attention
    assert "ada" not in attention


def test_a_class_without_concerns_says_so(gradebook, make_score):
    fine = msgspec.structs.replace(gradebook, scores=(make_score("ada"),), problems=())
    assert "Nobody: everything is graded" in index(fine)


@pytest.mark.parametrize(("mode", "warned"), [("off", True), ("full", False)])
def test_grading_without_isolation_is_said(gradebook, mode, warned):
    book = msgspec.structs.replace(gradebook, isolation=Isolation(mode=mode))
    assert ("Graded without isolation" in index(book)) is warned


def test_a_run_that_was_stopped_is_said(gradebook):
    assert "Stopped before the end" in index(msgspec.structs.replace(gradebook, complete=False))


def test_an_empty_class_gives_a_page(gradebook):
    assert "0 students" in index(msgspec.structs.replace(gradebook, scores=(), problems=()))


def test_links_lead_to_files_whatever_a_student_is_called():
    assert address("students", "a #?%.html") == "students/a%20%23%3F%25.html"


def test_a_heat_map_draws_every_cell_once():
    book = generated(20)
    drawn = map_of(book)
    checks = sum(len(q.checks) for a in book.assignments for q in a.questions)
    assert sum(layer.count for layer in drawn.layers) == 20 * checks
    assert len(drawn.rows) == len(drawn.names) == 20
    assert not map_of(generated(61)).names


def test_the_strongest_student_is_on_top(gradebook):
    assert map_of(gradebook).rows[0] == "ada"


def test_backticks_are_code_and_a_lone_one_is_a_backtick():
    assert prose("a `<b>` c") == "a <code>&lt;b&gt;</code> c"
    assert prose("a ` b") == "a ` b"


def test_numbers_that_do_not_exist_are_dashes():
    assert (decimal(None), percentage(None)) == ("–", "–")
    assert (decimal(-0.25, 2), percentage(0.125)) == ("−0.25", "12 %")


@pytest.fixture
def rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Renders a template that says this, in what is a new process for all that templates know."""
    monkeypatch.setattr(page, "TEMPLATES", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)

    def render(text: str) -> str:
        (tmp_path / "one.html").write_text(text, encoding="utf-8")
        return page._environment.__wrapped__().get_template("one.html").render()

    return render


def test_a_compiled_template_is_kept_until_its_text_is_another(
    rendered: Callable[[str], str], tmp_path: Path
) -> None:
    assert rendered("{{ 1 + 1 }}") == "2"
    [kept] = (tmp_path / "__pycache__").iterdir()
    written = kept.stat().st_mtime_ns
    assert rendered("{{ 1 + 1 }}") == "2"
    assert kept.stat().st_mtime_ns == written
    assert rendered("{{ 1 + 2 }}") == "3"
    assert kept.stat().st_mtime_ns != written


def test_templates_work_where_nothing_can_be_kept(
    rendered: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / "__pycache__").write_text("no folder")
    assert rendered("{{ 1 + 1 }}") == "2"
    assert (tmp_path / "__pycache__").read_text() == "no folder"
