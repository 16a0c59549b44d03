"""Models of which it is known how much they hold, and the sizes that were estimated for them."""

from __future__ import annotations

import random
from collections.abc import Collection
from decimal import Decimal
from fractions import Fraction
from typing import Any

from grader.testing import Handle, StudentError, SubmissionNames
from grader.testing.failure import fail

NAMES = ("parameters", "gradients", "optimizer", "total_training", "inference_only")


def random_sizes(rng: random.Random) -> dict[str, int]:
    """Arguments of a small model; d_ff is no multiple of d_model."""
    n_heads = rng.randrange(2, 5)
    d_model = n_heads * rng.randrange(4, 9)
    return {
        "vocab_size": rng.randrange(200, 400),
        "d_model": d_model,
        "n_heads": n_heads,
        "n_layers": rng.randrange(2, 4),
        "d_ff": 3 * d_model + rng.randrange(1, d_model),
        "max_len": rng.randrange(20, 40),
    }


def build(submission: SubmissionNames, **arguments: object) -> Handle:
    """The course's own model, so that no earlier assignment matters."""
    return submission.module("course.parts").TinyTransformerLM(**arguments)


def n_parameters(sizes: dict[str, int]) -> int:
    """Number of parameters of a model with untied weights and learned positions."""
    d_model, d_ff = sizes["d_model"], sizes["d_ff"]
    attention = 4 * (d_model * d_model + d_model)
    feedforward = 2 * d_model * d_ff + d_ff + d_model
    norm = 2 * d_model
    blocks = sizes["n_layers"] * (attention + feedforward + 2 * norm)
    return (2 * sizes["vocab_size"] + sizes["max_len"]) * d_model + blocks + norm


def scalar(handle: Handle, what: str) -> float:
    """Fetch a finite number; a tensor with one element is a number too."""
    value: Any = handle.value()
    if type(value).__name__ in ("Tensor", "ndarray") and value.shape.count(1) == value.ndim:
        value = value.item()
    if type(value) in (Fraction, Decimal):
        value = float(value)
    if type(value) not in (int, float):
        fail(f"{what} is not a number", expected="a number", actual=type(value).__name__)
    if not abs(value) < float("inf"):
        fail(f"{what} is no finite number", expected="a finite number", actual=value)
    return float(value)


def number(handle: Handle, what: str) -> float:
    """Fetch a finite number that is more than zero."""
    value = scalar(handle, what)
    if value <= 0:
        fail(f"{what} is no size", expected="a number above 0", actual=value)
    return value


def named(sizes: Handle, name: str, names: Collection[str]) -> float:
    """Fetch one of the numbers that a function returned under these names."""
    sizes.done()
    try:
        size = sizes[name].done()
    except StudentError:
        fail(f'there is no "{name}" in the result', expected=", ".join(names))
    return number(size, f'"{name}"')


def model_memory(memory: Handle, name: str) -> float:
    """Fetch one of the sizes that `estimate_model_memory` returned."""
    return named(memory, name, NAMES)


def assert_follows_the_model(
    submission: SubmissionNames, rng: random.Random, names: tuple[str, ...] = ("parameters",)
) -> None:
    """Demand that sizes grow about as the number of parameters does: a constant follows nothing."""
    sizes = {**random_sizes(rng), "n_layers": 1}
    deeper = {**sizes, "n_layers": 3, "d_ff": 2 * sizes["d_ff"]}
    richer = {**sizes, "vocab_size": 4 * sizes["vocab_size"]}
    small, *larger = (
        submission.estimate_model_memory(
            build(submission, **arguments, tie_weights=False, positional="learned")
        )
        for arguments in (sizes, deeper, richer)
    )
    for memory, arguments in zip(larger, (deeper, richer), strict=True):
        times = n_parameters(arguments) / n_parameters(sizes)
        for name in names:
            growth = model_memory(memory, name) / model_memory(small, name)
            if not 0.8 * times < growth < 1.2 * times:
                fail(
                    f'"{name}" does not follow the model: another one has {times:.2f} times as many'
                    " parameters",
                    expected=f"about {times:.2f} times as much",
                    actual=f"{growth:.2f} times as much",
                )
