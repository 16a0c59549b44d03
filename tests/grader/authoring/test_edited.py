"""A mutant as a change of the text that somebody wrote."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from grader.authoring.edited import bare, changed_line, unified
from grader.authoring.generated import Generated, generate
from grader.authoring.lessons import lesson_paths, read_lesson
from grader.authoring.new_course import TEMPLATE
from grader.authoring.release import solution_sources
from grader.config.course import load_course

ROOT = Path(__file__).parents[3]

ODD = {
    "layout": '''
        @functools.cache  # kept
        @other(1)
        def f(a, b=2,
              *, c=3):
            """Says "ä" — and more."""
            x = "ä€"; y = a + b  # a comment
            if a < b: return x
            elif a > c:  # another
                y += 1
            else:
                y = [a
                     for a in range(3) if a]
            try:
                z = a / b
            except ZeroDivisionError:
                z = 0
            with open(x) as file:
                # alone
                return file.read(1), y, z
    ''',
    "class": '''
        class Counter:
            """Counts."""
            start = 1

            def up(self, by=1):
                """Up."""

                # first
                self.n = self.n + by
                while self.n > 3 and by:
                    self.n -= 1
                return max(self.n, 0)
    ''',
    "one line": "def g(x): return x + 1\n",
    "nested": """
        def outer(n):
            def inner(k):
                return k * n
            for i in range(n):
                if not i:
                    continue
                yield inner(i) if i % 2 else -i
    """,
}


def sources() -> list[tuple[str, dict[str, str]]]:
    found = [(name, {name: dedent(text).strip("\n")}) for name, text in ODD.items()]
    course = load_course(TEMPLATE)
    for path in lesson_paths(course).values():
        found.append((path.stem, solution_sources(course, read_lesson(path))))
    return found


@pytest.mark.parametrize(("name", "answers"), sources(), ids=[name for name, _ in sources()])
def test_every_mutant_is_a_small_change_of_the_text(name: str, answers: dict[str, str]) -> None:
    plain = generate(answers)
    made = generate(answers, edited=[one.id for one in plain])
    assert [one.id for one in made] == [one.id for one in plain]
    for one in made:
        assert one.edited, one.id
        assert ast.unparse(bare(ast.parse(one.edited))) == one.source
        before = answers[one.answer]
        assert one.edited != before
        assert comments(one.edited) >= comments(before) - 3, one.id


def comments(text: str) -> int:
    return text.count("#")


def test_of_a_statement_with_a_body_only_the_head_is_written_anew() -> None:
    source = dedent(ODD["class"]).strip("\n")
    made = {one.id: one for one in generate({"c": source}, edited=["Counter.up:boolean:1"])}
    one = made["Counter.up:boolean:1"]
    diff = unified(source, one.edited, path="c.py", name=one.id, first_line=101)
    assert diff.splitlines() == [
        "--- c.py",
        "+++ Counter.up:boolean:1",
        "@@ -108,5 +108,5 @@",
        "         # first",
        "         self.n = self.n + by",
        "-        while self.n > 3 and by:",
        "+        while self.n > 3 or by:",
        "             self.n -= 1",
        "         return max(self.n, 0)",
    ]
    assert changed_line(source, one.edited) == 10


def test_nobody_pays_for_texts_that_are_not_asked_for() -> None:
    made: tuple[Generated, ...] = generate({"c": dedent(ODD["class"]).strip("\n")})
    assert {one.edited for one in made} == {""}
