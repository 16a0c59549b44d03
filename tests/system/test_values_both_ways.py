"""Values of every kind, through the real wall and in a student's own notebook: the same results."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from toy import TABLE, Silent, write

from grader.config.course import Course, load_course
from grader.gradebook import Score, State
from grader.model import Status
from grader.pipeline import Options, check
from grader.testing.local import run_checks

pytestmark = pytest.mark.slow

PRELOAD = 'preload = ["numpy", "pandas", "pyarrow"]\npreload_later = ["matplotlib.pyplot", "PIL"]\n'

ANSWERS = """
import dataclasses, datetime, enum, itertools
from collections import Counter, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image

Point = namedtuple("Point", "x y")


class Color(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Cart:
    owner: str
    items: list


def same(value):
    return value


def center(values):
    return values - values.mean(axis=0)


def totals(table):
    return table.groupby("city")["price"].sum()


def cheap(table):
    return table[table["price"] < 3]


def corner():
    return Point(1, 2)


def cart(owner):
    return Cart(owner, ["egg"])


def color():
    return Color.RED


def error(text):
    return ValueError(text)


def primes():
    yield from (2, 3, 5, 7)


def naturals():
    return itertools.count()


def greet(name):
    print("Hello", name)


def plot(x, y):
    figure, axes = plt.subplots()
    axes.plot(x, y, label="measured")
    axes.set_title("Growth")
    axes.legend()
    return figure


def draw(y):
    plt.plot(y)
    plt.title("Growth")


def picture():
    return Image.new("RGB", (3, 2), (255, 0, 0))


def arrow():
    return pa.table({"n": [1, None], "t": ["a", "b"]})


def own():
    return object()
"""

CHECKS = '''
import dataclasses, datetime, enum
from collections import namedtuple
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

from grader.testing import (
    assert_close, assert_differs, assert_equal, assert_shape, check, drawn, printed, printing, raises,
    take,
)

Point = namedtuple("Point", "x y")


class Color(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Cart:
    owner: str
    items: list


TABLE = pd.DataFrame({"city": ["Ulm", "Bonn", "Ulm"], "price": [1.5, 2.5, 4.0]}, index=["a", "b", "c"])

THERE_AND_BACK = [
    {1, 2}, frozenset("ab"), Decimal("1.50"), Fraction(1, 3), 2 + 1j, range(3), b"x",
    datetime.date(2024, 2, 29), datetime.time(1, 2), datetime.timedelta(days=-1),
    datetime.datetime(2024, 2, 29, 1, tzinfo=ZoneInfo("Europe/Berlin")),
    np.arange(6).reshape(2, 3), np.array(["a", "bb"]), np.array(["2024-01-01"], "datetime64[D]"),
    TABLE, TABLE["price"], TABLE.index, pd.Timestamp("2024-01-01", tz="UTC"),
    {"tables": [TABLE], datetime.date(2024, 1, 1): 2}, pa.table({"a": [1, 2]}),
]


class TestValues:
    """Values"""

    @check(points=1)
    def test_there_and_back(self, submission):
        """Gives back what it was given"""
        for value in THERE_AND_BACK:
            assert_equal(submission.same(value).value(), value, f"a {type(value).__name__}")

    @check(points=1)
    def test_array(self, submission):
        """Centers an array"""
        values = np.array([[1.0, 2.0], [3.0, 6.0]])
        centered = submission.center(values).value()
        assert_shape(centered, (2, 2), "the array")
        assert_close(centered, values - values.mean(axis=0), "the array")
        assert_differs(centered, values, "the array and the centered one")

    @check(points=1)
    def test_series(self, submission):
        """Sums by city"""
        expected = TABLE.groupby("city")["price"].sum()
        assert_equal(submission.totals(TABLE).value(), expected, "the sums")

    @check(points=1)
    def test_frame(self, submission):
        """Keeps what is cheap"""
        assert_close(submission.cheap(TABLE).value(), TABLE[TABLE["price"] < 3], "the table")

    @check(points=1)
    def test_named_tuple(self, submission):
        """A corner has an x and a y"""
        found = submission.corner().value()
        assert_equal((found.x, found.y), (1, 2), "the corner")
        assert_equal(found, Point(1, 2), "the corner")
        assert_equal(found, (1, 2), "the corner")

    @check(points=1)
    def test_dataclass(self, submission):
        """A cart has an owner"""
        assert_equal(submission.cart("Ada").value(), Cart("Ada", ["egg"]), "the cart")

    @check(points=1)
    def test_enumeration(self, submission):
        """The colour is red"""
        assert_equal(submission.color().value(), Color.RED, "the colour")

    @check(points=1)
    def test_exception(self, submission):
        """The error says what is wrong"""
        error = submission.error("no").value()
        assert_equal((error.kinds[0], error.message, error.args), ("ValueError", "no", ("no",)), "it")

    @check(points=1)
    def test_generator(self, submission):
        """Gives four primes, then natural numbers"""
        assert_equal(submission.primes().value(), [2, 3, 5, 7], "the primes")
        assert_equal(take(submission.naturals(), 3), [0, 1, 2], "the numbers")

    @check(points=1)
    def test_endless(self, submission):
        """Ends"""
        submission.naturals().value()

    @check(points=1)
    def test_printed(self, submission):
        """Greets by name"""
        assert_equal(printed(submission.greet, "Ada"), "Hello Ada\\n", "what is printed")
        with printing(submission) as said:
            submission.greet("Ben")
            with raises("TypeError"):
                submission.greet()
        assert_equal(said.text(), "Hello Ben\\n", "what is printed")

    @check(points=1)
    def test_figure(self, submission):
        """Draws growth"""
        figure = submission.plot([1, 2, 3], [2, 4, 8]).value()
        (axes,) = figure.axes
        assert_equal(axes.title, "Growth", "the title")
        assert_equal(axes.legend, ["measured"], "the legend")
        assert_close(axes.lines[0].y, np.array([2.0, 4.0, 8.0]), "the line")

    @check(points=1)
    def test_drawn(self, submission):
        """Draws growth on whatever there is"""
        (figure,) = drawn(submission.draw, [1, 2])
        assert_equal(figure.axes[0].title, "Growth", "the title")

    @check(points=1)
    def test_picture(self, submission):
        """Paints it red"""
        picture = submission.picture().value()
        assert_equal((picture.mode, picture.size), ("RGB", (3, 2)), "the picture")
        assert (picture.pixels == [255, 0, 0]).all()

    @check(points=1)
    def test_arrow(self, submission):
        """Makes a table"""
        expected = pa.table({"n": [1, None], "t": ["a", "b"]})
        assert_equal(submission.arrow().value(), expected, "the table")

    @check(points=1)
    def test_own(self, submission):
        """Gives something that is no value"""
        submission.own().value()
'''

WRONG = {
    "values - values.mean(axis=0)": "values - 1",
    '["price"].sum()': '["price"].sum().astype("float32")',
    'table[table["price"] < 3]': 'table.assign(price=table["price"] + 1)[:2]',
    "return Point(1, 2)": "return Point(1, 3)",
    'Cart(owner, ["egg"])': 'Cart(owner.upper(), ["egg"])',
    "RED = 1": "BLUE = 1; RED = 2",
    "ValueError(text)": "KeyError(text)",
    "(2, 3, 5, 7)": "(2, 3, 5, 9)",
    '"Hello", name': '"Hallo", name',
    "Growth": "Shrinking",
    "(255, 0, 0)": "(0, 255, 0)",
    "[1, None]": "[1, 2]",
}

SAID = {
    "test_array": "the array: not as expected, 4 of 4 values differ, first at (0, 0); "
    "expected -1, got 0",
    "test_series": "the sums: the wrong dtype; expected float64, got float32",
    "test_frame": "the table: not as expected, 2 of 4 values differ, first in row 0 ('a'), "
    "column 'price'; expected 1.5, got 2.5",
    "test_named_tuple": "the corner: not as expected; expected (1, 2), got (1, 3)",
    "test_dataclass": "the cart.owner: not as expected; expected Ada, got ADA",
    "test_generator": "the primes: not as expected; expected [2, 3, 5, 7], got [2, 3, 5, 9]",
    "test_printed": "what is printed: not as expected; expected Hello Ada\n, got Hallo Ada\n",
    "test_figure": "the title: not as expected; expected Growth, got Shrinking",
    "test_arrow": "the table: not as expected, 1 of 4 values differ, first in row 1, column 'n'; "
    "expected a missing value, got 2",
    "test_endless": "the result can't be fetched: an iterator that has not ended after 10,000 values: "
    "take the first ones, as in take(submission.f(), 5)",
    "test_own": "the result can't be fetched: an object is not plain data: return plain values; "
    "a check fetches parts of an object, as in cart.total.value()",
}


def wrong() -> str:
    answers = ANSWERS
    for old, new in WRONG.items():
        assert old in answers
        answers = answers.replace(old, new)
    return answers


@pytest.fixture
def course(tmp_path: Path) -> Course:
    table = TABLE.replace('suites = "hidden"\nreference = "reference/sums"\n', PRELOAD)
    table = table.replace("_s = 1\n", "_s = 10\n").replace("512 MiB", "1 GiB")
    write(tmp_path / "course/pyproject.toml", table)
    write(tmp_path / "course/public/test_adding.py", CHECKS)
    return load_course(tmp_path / "course")


def locally(course: Course, answers: str) -> dict[str, tuple[bool, str]]:
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(compile(answers, "<cell 1>", "exec"), namespace)
    assert course.checks is not None
    sys.modules.pop("test_adding", None)  # another test's file of this name
    results = run_checks(namespace, course.checks / "test_adding.py")
    return {one.check: (one.passed, one.message) for one in results}


def across(score: Score) -> dict[str, tuple[bool, str]]:
    return {one.check: (one.status is Status.PASSED, one.message) for one in score.outcomes}


def test_values_of_every_kind_cross_both_ways_and_at_home(
    course: Course, class_of: Callable[..., Path]
) -> None:
    answers = {"right": ANSWERS, "wrong": wrong()}
    book = check([class_of(**answers)], course, Options(), Silent())
    assert not book.problems, [problem.message for problem in book.problems]
    for score in book.scores:
        found = across(score)
        assert found == locally(course, answers[score.student])
        refused = {"test_endless", "test_own"}
        if score.student == "right":
            assert {name for name, (passed, _) in found.items() if not passed} == refused
        else:
            assert {name for name, (passed, _) in found.items() if passed} == {
                "test_there_and_back"
            }
            for name, said in SAID.items():
                assert found[name][1].startswith(said), name


SENDING = '''
from grader.testing import check


def asked(submission):
    return submission.same(object())


class TestOwn:
    """Own objects"""

    @check(points=1)
    def test_sends_an_object(self, submission):
        """Sends what can't be sent"""
        asked(submission).value()
'''


def test_a_check_that_sends_what_can_not_cross_is_told_where(
    course: Course, class_of: Callable[..., Path]
) -> None:
    write(course.root / "public/test_adding.py", SENDING)
    book = check(
        [class_of(ann="def same(value): return value")],
        load_course(course.root),
        Options(),
        Silent(),
    )
    (score,) = book.scores
    assert score.state is State.UNGRADED
    said = score.ending.message
    assert (
        "`test_sends_an_object` sends what can't cross, an object is not plain data: send" in said
    )
    assert f"{course.root / 'public/test_adding.py'}:5" in said
