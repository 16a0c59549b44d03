"""Whether a function over there is the one that it should be, by its values and its gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from torch import Tensor

from course.checks.drawn_modules import normal
from grader.testing import Handle, SubmissionNames, assert_close, assert_shape
from grader.testing.failure import fail

Own = Callable[..., Handle]
"""The function over there, or what calls it."""
Exact = Callable[..., Tensor]
"""The function as it should be, over here."""


def assert_same_values(
    submission: SubmissionNames, function: Own, exact: Exact, inputs: Sequence[Tensor]
) -> None:
    """Demand the values, shape and dtype of another function, and inputs that are left alone."""
    given = [submission.send(one) for one in inputs]
    out, expected = function(*given).tensor(), exact(*inputs)
    assert_shape(out, expected.shape, "the result")
    if out.dtype != expected.dtype:
        fail("the result has the wrong dtype", expected=expected.dtype, actual=out.dtype)
    assert_close(out, expected, "the result", atol=1e-4)
    for one, before in zip(given, inputs, strict=True):
        assert_close(one.tensor(), before, "an input, afterwards,", rtol=0, atol=0)


def assert_same_gradients(
    submission: SubmissionNames,
    function: Own,
    exact: Exact,
    inputs: Sequence[Tensor],
    rng: Random,
) -> None:
    """Demand the gradients of another function, for a random gradient of what comes out."""
    given = [submission.send(one) for one in inputs]
    for one in given:
        one.requires_grad_()
    own = [one.clone().requires_grad_() for one in inputs]
    expected = exact(*own)
    upstream = normal(rng, *expected.shape).to(expected.dtype)
    expected.backward(upstream)  # type: ignore[no-untyped-call]
    result = function(*given)
    assert_shape(result.tensor(), expected.shape, "the result")
    result.backward(upstream)
    for one, exactly in zip(given, own, strict=True):
        gradient = one.grad.value()
        if type(gradient) is not Tensor:
            fail("an input gets no gradient", actual=gradient)
        assert_close(gradient, exactly.grad, "an input's gradient", atol=1e-4)
