"""The page of `grader mark`, as a browser without scripts and as somebody else's page ask for it."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from marking_site import Site

from grader.errors import UsageError
from grader.marking import server
from grader.store import marks

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=1>\u202etxt \x1b[31m"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    answers = {f"student{n}": f"answer {n}" for n in range(3)} | {HOSTILE[:40]: HOSTILE}
    with Site(tmp_path, answers) as one:
        yield one


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One to which nothing is written."""
    with Site(
        tmp_path_factory.mktemp("quiet"), {f"student{n}": f"answer {n}" for n in range(4)}
    ) as one:
        yield one


def heads(page: str) -> str:
    found = re.search(r'name="after" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def test_a_class_is_marked_without_a_script(site: Site) -> None:
    status, page, _ = site.ask(site.url())
    assert status == 200
    assert "0 of 4" in page
    place = site.url("tides/why/1")
    for number in range(1, 5):
        _, page, _ = site.ask(place)
        assert f"answer {number} of 4" in page
        assert "student" not in page.partition("<body>")[2].replace("which the student reads", "")
        form = {
            "after": heads(page),
            "rubric": ["moon"],
            "points": "0.5",
            "comment": f"no. {number}",
            "then": "next",
        }
        status, page, place = site.ask(place, form)
    assert status == 200
    assert "All answers to this question are marked." in page
    assert [one.comment for one in marks.read(site.reports)] == [f"no. {n}" for n in range(1, 5)]
    _, page, _ = site.ask(site.url("tides/why/3"))
    assert "Marked: 2 of 4" in unescape(page)
    assert "no. 3</textarea>" in page
    _, page, place = site.ask(site.url("undo"), {})
    assert place.endswith("/tides/why/4?told=undone")
    assert "Not marked" in page
    assert "Written." in site.ask(site.url("write"), {})[1]


def test_what_students_and_markers_write_stays_text(site: Site) -> None:
    queue = site.desk.find("tides", "why")
    assert queue is not None
    number = queue.students.index(HOSTILE[:40]) + 1
    place = site.url(f"tides/why/{number}")
    site.ask(
        place, {"after": "", "points": "1", "comment": f"</textarea>{HOSTILE}", "then": "stay"}
    )
    site.ask(place, {"after": "", "points": "2", "comment": HOSTILE, "then": "stay"})  # a conflict
    for one in (place, f"{place}/whole"):
        status, page, _ = site.ask(one)
        assert status == 200
        assert "<script>document" not in page
        assert "<img" not in page
        assert "\u202e" not in page.partition("<textarea")[0]
        assert page.count("<script>") <= 1


def test_a_comment_is_what_it_was_when_it_is_saved_again(site: Site) -> None:
    comment = "\n  Zoë 👩\u200d💻 & <b>\r\n\nlast"
    place = site.url("tides/why/1")
    site.ask(place, {"after": "", "points": "1", "comment": comment, "then": "stay"})
    _, page, _ = site.ask(place)
    shown = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.S)
    assert shown is not None
    again = unescape(shown[1])
    assert again == comment.strip().replace("\r\n", "\n")


@pytest.mark.parametrize(
    "place", ["", "tides/why/1", "tides/why/1/whole", "tides/why/waiting", "write", "undo"]
)
def test_who_does_not_know_the_secret_gets_nothing(quiet: Site, place: str) -> None:
    for secret in ("", "x", quiet.pages.root.strip("/")[:-1], quiet.pages.root.strip("/") + "x"):
        for form in (None, {"comment": "x"}):
            status, page, _ = quiet.ask(f"{quiet.address}/{secret}/{place}", form)
            assert status in (404, 405)
            assert "answer" not in page
    assert marks.read(quiet.reports) == ()


def test_a_strangers_name_for_this_machine_is_not_answered(quiet: Site) -> None:
    assert quiet.ask(quiet.url(), host="evil.example")[0] == 421
    assert quiet.ask(quiet.url("tides/why/1"), {"points": "1"}, host="evil.example")[0] == 421
    assert marks.read(quiet.reports) == ()


@pytest.mark.parametrize(
    ("place", "form", "status"),
    [
        ("tides/why/0", None, 404),
        ("tides/why/5", None, 404),
        ("tides/why/99999999999999999999999999", None, 404),
        ("tides/heights/1", None, 404),
        ("floods/why/1", None, 404),
        ("tides/why/waiting?after=%C3%A9", None, 200),
        ("tides/why/1", {"points": "many"}, 400),
        ("tides/why/1", {"points": "nan"}, 400),
        ("tides/why/1", {"points": "-inf"}, 400),
        ("tides/why/1", {"points": "1e9"}, 400),
        ("tides/why/1", b"\xff\xfe", 400),
        ("tides/why/1", {"comment": "x" * 300_000}, 413),
        ("tides/why/1", b"&".join([b"rubric=x"] * 600), 400),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_written(
    quiet: Site, place: str, form: dict[str, object] | bytes | None, status: int
) -> None:
    assert quiet.ask(quiet.url(place), form)[0] == status
    assert marks.read(quiet.reports) == ()


def test_points_and_items_that_nobody_has_are_kept_out(site: Site) -> None:
    site.ask(site.url("tides/why/1"), {"rubric": ["venus", "moon", "moon"], "points": "0,5"})
    (mark,) = marks.read(site.reports)
    assert (mark.rubric, mark.points) == (("moon",), 0.5)


def test_a_mark_that_can_not_be_written_is_told(site: Site) -> None:
    (site.reports / marks.NAME).mkdir()
    status, page, _ = site.ask(site.url("tides/why/1"), {"points": "1"})
    assert status == 500
    assert page.startswith("Not saved: can't")
    assert "Traceback" not in page


def test_every_page_says_what_a_browser_may_do(quiet: Site) -> None:
    for place in ("", "tides/why/1", "tides/why/1/whole"):
        with urllib.request.urlopen(quiet.url(place), timeout=10) as got:
            page = unescape(got.read().decode())
            assert got.headers["referrer-policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
            assert got.headers["cache-control"] == "no-store"
            assert "set-cookie" not in got.headers
        assert "default-src 'none'" in page
        assert "form-action 'self'" in page
        assert "unsafe" not in page.partition("<title>")[0]


def test_a_port_that_somebody_has_is_told(quiet: Site) -> None:
    with pytest.raises(UsageError, match="can't listen on port"):
        server.listen(quiet.listening.getsockname()[1])


def test_it_listens_to_this_machine_alone(quiet: Site) -> None:
    assert quiet.listening.getsockname()[0] == "127.0.0.1"
