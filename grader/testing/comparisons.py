"""Comparisons that explain themselves: what a check demands of values that it has fetched.

What is compared may be numbers, texts, tensors, arrays, tables, and lists, tuples, dicts, sets and
records of them. The expected value may be of a class of its own, a dataclass of the reference for
example: it is taken as it would arrive from a submission.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grader.testing.differences import (
    UNTOLD,
    Difference,
    Ruler,
    arrays_near,
    difference,
    is_array,
    is_tensor,
    wrong_type,
)
from grader.testing.failure import CheckFailed, Compared, fail
from grader.testing.forms.described import NamedValues
from grader.testing.forms.parts import loaded
from grader.testing.handles import as_tensor
from grader.testing.objects import plain
from grader.testing.table_differences import columns_near, is_table

RTOL, ATOL = 1e-4, 1e-5
"""The ruler: what is forgiven in proportion to a value's size, and in any case."""

IN_PARTS = ("grader.", "pandas.")
"""Where records, named values and the like come from: they are compared part by part."""

SIMPLE = (bool, int, float, str, bytes, type(None))


def about(what: str, said: str) -> str:
    """`the vectors: not as expected`: words that suit one and many, whatever `what` is.

    Args:
        what: as the author of a check calls it, perhaps for the middle of a sentence: with a comma.
        said: what is to be said of it.
    """
    return f"{what.rstrip(', ')}: {said}"


def assert_equal(actual: object, expected: object, what: str = "the result") -> None:
    """Compare values of one exact type: numbers, texts, arrays, tables, lists and dicts of them.

        assert_equal(submission.count("a b a").value(), {"a": 2, "b": 1}, "the counts")
        assert_equal(submission.sort(frame).value(), reference.sort(frame), "the sorted table")

    Arrays and tables are equal with equal shapes, dtypes, labels, names and values; what is missing
    (NaN, NaT, None) is equal to what is missing. A named tuple's values are equal to a tuple's.
    """
    left, right = plain(actual), plain(expected)
    if type(right) is tuple and type(left) is NamedValues:
        left = tuple(left)
    if type(left) is not type(right):
        found: Difference | None = wrong_type(actual, expected)
    elif _is_simple(right):
        same = left == right
        found = None if same else Difference("not as expected", expected, actual)
    else:
        found = difference(left, right, Ruler())
    _fail(found, what, Compared(left, right, None, Ruler()))


def assert_shape(tensor: Any, shape: Sequence[int], what: str = "the result") -> None:
    """Compare the shape of a fetched tensor, array or table with a tuple of sizes.

        assert_shape(submission.table(3).value(), (3, 2), "the table")

    Raises:
        grader.testing.CheckFailed: it has another one, or is nothing that has a shape.
    """
    if not (is_array(tensor) or is_table(tensor)):
        _tensor(tensor, what)
    actual = tuple(tensor.shape)
    if actual != tuple(shape):
        fail(about(what, "the wrong shape"), expected=tuple(shape), actual=actual)


def assert_close(
    actual: Any,
    expected: Any,
    what: str = "the result",
    *,
    rtol: float = RTOL,
    atol: float = ATOL,
    dtypes: Any = True,
) -> None:
    """Compare numbers, tensors, arrays or tables: type, shape, dtype first, then the values.

        assert_close(submission.mean([1, 2, 4]).value(), 7 / 3, "the mean")
        assert_close(submission.center(table).value(), reference.center(table), "the table")

    An infinity is equal to the same infinity. In tensors and numbers NaN is never equal to
    anything; in arrays and tables, where it says that a value is missing, it is equal to what is
    missing in the other one. What is no float is compared as by `assert_equal`, names of Series and
    indexes are not compared.
    The default tolerances admit fused and reordered float32 arithmetic.

    What is forgiven grows with `expected`. Where that comes from the submission, too, the
    submission chooses how much: such a check has a twin with `assert_differs`.

    Args:
        actual: a fetched value.
        expected: what it should be.
        what: how messages call it.
        rtol: forgiven in proportion to the expected value.
        atol: forgiven in any case.
        dtypes: whether the dtypes of arrays and columns have to be the same: a bool, and `Any` so
            that tolerances may come as `**options` of floats.
    """
    ruler = Ruler(rtol, atol, bool(dtypes), names=False)
    left, right = plain(actual), plain(expected)
    _fail(difference(left, right, ruler), what, Compared(left, right, None, ruler))


def _fail(found: Difference | None, what: str, compared: Compared | None = None) -> None:
    if found is not None:
        raise CheckFailed(
            about(what.rstrip(", ") + found.at, found.said),
            expected=_shown(found.expected),
            actual=_shown(found.actual),
            compared=found.compared or compared,
        )


def _shown(value: object) -> object:
    """A value for `fail`, to which None says that there is none."""
    return "None" if value is None else None if value is UNTOLD else value


def assert_differs(
    first: Any,
    second: Any,
    what: str = "the result",
    *,
    rtol: float = RTOL,
    atol: float = ATOL,
) -> None:
    """Demand that two fetched values of one shape differ: the twin of every "must not change".

        before, after = values((submission.shuffle(cards), submission.shuffle(cards)))
        assert_differs(before, after, "two shuffled decks")

    This and `assert_close` are two sides of one ruler: what `assert_close` forgives for values of
    this size, whichever of the two is expected, is no difference here. So neither tiny noise nor
    small changes of something huge are ever "the same" in one check and "different" in its twin.
    """
    first, second = plain(first), plain(second)
    if is_tensor(second) or is_tensor(first):
        differs = _tensors_differ(_tensor(first, what), _tensor(second, what), what, rtol, atol)
    else:
        if type(first) is not type(second):
            _fail(wrong_type(first, second), what)
        if is_array(second) or is_table(second):
            assert_shape(first, second.shape, what)
        ruler = Ruler(rtol, atol, dtypes=False, names=False)
        differs = all(
            difference(*pair, ruler) is not None for pair in ((first, second), (second, first))
        )
    if not differs:
        fail(about(what, "no change although there should be one"))


def differing(first: Any, second: Any, *, rtol: float = RTOL, atol: float = ATOL) -> Any:
    """Where two tensors or arrays differ by more than `assert_close` forgives: bools, as many.

        changed = differing(before, after)      # a change in row 2 and nowhere else
        assert changed[2].any() and not changed[:2].any()

    For checks that demand a change in some places and none in others.

    Args:
        first: a fetched tensor, array or Series.
        second: another one: tensors of a shape that broadcasts with it, arrays of its shape.
        rtol: forgiven in proportion to the larger one of two values.
        atol: forgiven in any case.
    """
    if not (is_tensor(first) or is_tensor(second)):
        ruler = Ruler(rtol, atol, dtypes=False, names=False)
        compare = arrays_near if is_array(first) else columns_near
        return ~(compare(first, second, ruler) | compare(second, first, ruler))
    import torch

    first, second = as_tensor(first), as_tensor(second)
    wide = torch.complex128 if first.is_complex() or second.is_complex() else torch.float64
    left, right = first.to(wide), second.to(wide)
    # |left - right| <= atol + rtol * max(|left|, |right|); an infinity equals itself alone
    near = torch.isclose(left, right, rtol=rtol, atol=atol)
    return ~(near | torch.isclose(right, left, rtol=rtol, atol=atol))


def _is_simple(value: Any) -> bool:
    """Whether it is plain data, which is shown as a whole when it is not as expected."""
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return all(map(_is_simple, value))
    if kind is dict:
        return all(map(_is_simple, value.values()))
    if kind in SIMPLE:
        return True
    own = kind.__module__.startswith(IN_PARTS)
    return not (own or is_tensor(value) or is_array(value) or is_table(value))


# ---------------------------------------------------------------- tensors


def _tensor(value: Any, what: str) -> Any:
    """The value if it is a tensor, or an array that becomes one."""
    value = as_tensor(value)
    torch = loaded("torch")
    if torch is None or type(value) is not torch.Tensor:
        fail(about(what, "not a tensor"), expected="a tensor", actual=type(value).__name__)
    return value


def _tensors_differ(first: Any, second: Any, what: str, rtol: float, atol: float) -> bool:
    import torch

    assert_shape(first, tuple(second.shape), what)
    if torch.isnan(first).any() or torch.isnan(second).any():
        fail(about(what, "NaN is in there"))
    return bool(differing(first, second, rtol=rtol, atol=atol).any())
