"""Comparisons: shape, dtype and finiteness before values; explanations that help."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.testing import (
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    differing,
    in_some_way,
    parameters,
    raises,
)
from grader.testing.failure import CheckFailed, fail
from grader.testing.handles import SubmissionNames
from grader.testing.links import NotDefined, StudentError
from grader.testing.local import LocalLink


def names(**namespace: object) -> SubmissionNames:
    """The names of a notebook in this process."""
    return SubmissionNames(LocalLink(namespace))


def test_equal_tensors_pass() -> None:
    assert_close(torch.tensor([1.0, math.inf]), torch.tensor([1.0 + 1e-7, math.inf]))
    assert_close(torch.tensor([1, 2]), torch.tensor([1, 2]))
    assert_close(torch.zeros(0, 3), torch.zeros(0, 3))
    assert_close(torch.tensor([True]), torch.tensor([True]))
    assert_close(1.0 + 1e-6, 1.0)


@pytest.mark.parametrize(
    ("actual", "expected", "reason"),
    [
        (torch.ones(1), torch.ones(3), "shape"),
        (torch.ones(3, 1), torch.ones(3), "shape"),
        (torch.ones(2).double(), torch.ones(2), "dtype"),
        (torch.tensor([math.nan]), torch.tensor([math.nan]), "NaN"),
        (
            torch.tensor([1.0, 2.0]),
            torch.tensor([1.0, 2.1]),
            r"1 of 2 values differ, first at \(1,\)",
        ),
        (torch.tensor([math.inf]), torch.tensor([-math.inf]), "differ"),
        (torch.tensor([5]), torch.tensor([6]), "differ"),
        ([1.0], torch.ones(1), "not a tensor"),
        (torch.ones(1), 1.0, "not a number"),
        (True, 1.0, "not a number"),
        (math.nan, math.nan, "not as expected"),
        (1.1, 1.0, "not as expected"),
    ],
)
def test_what_differs_fails_and_says_how(actual: object, expected: object, reason: str) -> None:
    with pytest.raises(CheckFailed, match=reason):
        assert_close(actual, expected)


def test_a_tensor_subclass_is_not_a_tensor() -> None:
    class Sly(torch.Tensor):
        pass

    with pytest.raises(CheckFailed, match="not a tensor"):
        assert_close(torch.ones(2).as_subclass(Sly), torch.ones(2))


def test_equality_demands_the_exact_type() -> None:
    assert_equal((1, 2), (1, 2))
    with pytest.raises(CheckFailed, match="wrong type"):
        assert_equal(True, 1)
    with pytest.raises(CheckFailed, match="wrong type"):
        assert_equal([1, 2], (1, 2))
    with pytest.raises(CheckFailed) as caught:
        assert_equal(3, 4, "the count")
    assert (caught.value.expected, caught.value.actual) == ("4", "3")


def test_shape_is_explained() -> None:
    with pytest.raises(CheckFailed) as caught:
        assert_shape(torch.ones(2, 3), (3, 2))
    assert caught.value.expected == "(3, 2)"
    assert caught.value.actual == "(2, 3)"


def test_differs_demands_a_change() -> None:
    assert_differs(torch.zeros(2), torch.tensor([0.0, 1.0]))
    with pytest.raises(CheckFailed, match="no change although there should be one"):
        assert_differs(torch.ones(2), torch.ones(2))
    with pytest.raises(CheckFailed, match="NaN"):
        assert_differs(torch.ones(2), torch.tensor([0.0, math.nan]))


def test_differs_treats_equal_infinities_as_equal() -> None:
    with pytest.raises(CheckFailed, match="no change although there should be one"):
        assert_differs(torch.tensor([math.inf]), torch.tensor([math.inf]))


@given(
    value=st.floats(width=32, allow_nan=False),
    change=st.floats(-1e6, 1e6, allow_nan=False),
    scale=st.integers(-12, 12),
)
def test_close_and_differs_are_two_sides_of_one_ruler(
    value: float, change: float, scale: int
) -> None:
    first = torch.tensor([value, 1.0], dtype=torch.float64)
    second = torch.tensor([value + change * 10.0**scale, 1.0], dtype=torch.float64)
    forgiven = any(
        passes(lambda pair=pair: assert_close(*pair)) for pair in ((first, second), (second, first))
    )
    for pair in ((first, second), (second, first)):
        assert passes(lambda pair=pair: assert_differs(*pair)) == (not forgiven)


def passes(comparison: Callable[[], None]) -> bool:
    try:
        comparison()
    except CheckFailed:
        return False
    return True


@pytest.mark.parametrize("size", [1e-30, 1e-6, 1.0, 1e5, 1e30])
def test_no_size_makes_a_noise_both_the_same_and_different(size: float) -> None:
    noise = [size * (1 + 1e-5 * torch.randn(50)) for _ in range(2)]
    assert passes(lambda: assert_close(*noise))
    assert not passes(lambda: assert_differs(*noise))


def test_differing_says_where() -> None:
    first = torch.tensor([0.0, 1.0, 1e5, math.inf, math.nan])
    second = torch.tensor([1e-6, 1.1, 1e5 + 1, math.inf, math.nan])
    assert differing(first, second).tolist() == [False, True, False, False, True]


def test_raises_accepts_a_base_class() -> None:
    with raises("LookupError"):
        raise StudentError(("IndexError", "LookupError", "Exception"), "out")


def test_raises_demands_an_exception_of_a_named_kind() -> None:
    with pytest.raises(CheckFailed, match="raised nothing"), raises("ValueError"):
        pass
    with pytest.raises(CheckFailed, match="wrong exception"), raises("ValueError"):
        raise StudentError(("TypeError", "Exception"), "no")


@pytest.mark.parametrize(
    "error",
    [
        StudentError(("NotImplementedError", "RuntimeError", "Exception"), ""),
        NotDefined("f"),
    ],
)
def test_an_unfinished_stub_raises_nothing_that_counts(error: StudentError) -> None:
    with pytest.raises(StudentError), raises("RuntimeError", "NameError"):
        raise error


def test_raises_lets_errors_of_the_check_itself_pass() -> None:
    with pytest.raises(KeyError), raises("KeyError"):
        raise KeyError


def test_one_way_that_holds_is_enough_and_ends_the_search() -> None:
    tries: list[str] = []
    in_some_way([lambda: fail("first"), lambda: tries.append("second"), lambda: fail("third")])
    assert tries == ["second"]


def test_when_no_way_holds_the_first_says_why() -> None:
    with pytest.raises(CheckFailed, match="first"):
        in_some_way([lambda: fail("first"), lambda: fail("second")])


def test_a_way_fails_by_what_it_has_put_off() -> None:
    broken = names(broken=lambda: 1 / 0).broken
    with pytest.raises(StudentError):
        in_some_way([lambda: broken()])


def test_lazy_parameters_have_values_once_the_module_is_called() -> None:
    layer = names(make=torch.nn.LazyLinear).make(2, bias=False)
    ((handle, value),) = parameters(layer, torch.zeros(1, 3))
    assert value.shape == (2, 3)
    handle.detach().zero_()
    assert_close(layer(torch.ones(1, 3)).tensor(), torch.zeros(1, 2))


def test_parameters_of_a_module_that_was_not_built_say_why() -> None:
    layer = names(make=torch.nn.Linear).make(2, "three")
    with pytest.raises(StudentError) as caught:
        parameters(layer, torch.zeros(1, 2))
    assert "earlier step" not in caught.value.message


def test_parameters_that_are_values_need_no_call() -> None:
    calls = []
    layer = torch.nn.Linear(2, 3)
    layer.register_forward_hook(lambda *_: calls.append(1))
    found = parameters(names(layer=layer).layer, torch.zeros(1, 2))
    assert [tuple(value.shape) for _, value in found] == [(3, 2), (3,)]
    assert calls == []


@pytest.mark.parametrize("what", ["the vectors", "the output", "the input, afterwards,", '"total"'])
def test_sentences_suit_one_and_many(what: str) -> None:
    one, two = torch.zeros(2), torch.ones(2)
    failing = (
        lambda: assert_close(one, two, what),
        lambda: assert_close(1.0, 2.0, what),
        lambda: assert_equal(1, 2, what),
        lambda: assert_equal(1, "1", what),
        lambda: assert_shape(one, (3,), what),
        lambda: assert_differs(one, one, what),
    )
    for compare in failing:
        with pytest.raises(CheckFailed) as caught:
            compare()
        said = caught.value.message
        assert said.startswith(f"{what.rstrip(',')}: ")
        assert not {"is", "are", "has", "have", "does", "do"} & set(said.split())
