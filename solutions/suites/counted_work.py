"""What the second part of memory_estimation compares: operations, caches, and how they grow."""

from collections.abc import Callable

from course.checks.estimated_sizes import build, named, number
from grader.testing import SubmissionNames
from grader.testing.failure import fail

PARTS = ("projections", "scores", "weighted_sum", "feedforward", "head")
NAMES = (*PARTS, "forward", "backward")


def expected_flops(sizes: dict[str, int], batch: int, length: int) -> dict[str, int]:
    """Operations of one forward and one backward pass, part by part."""
    width, hidden, n_layers = sizes["d_model"], sizes["d_ff"], sizes["n_layers"]
    positions = batch * length
    parts = {
        "projections": 8 * n_layers * positions * width * width,
        "scores": 2 * n_layers * positions * length * width,
        "weighted_sum": 2 * n_layers * positions * length * width,
        "feedforward": 4 * n_layers * positions * width * hidden,
        "head": 2 * positions * width * sizes["vocab_size"],
    }
    forward = sum(parts.values())
    return {**parts, "forward": forward, "backward": 2 * forward}


def flops(
    submission: SubmissionNames, sizes: dict[str, int], batch: int, length: int, *names: str
) -> list[float]:
    """Fetch numbers of operations, for a staff model of these sizes."""
    found = submission.estimate_flops(build(submission, **sizes), batch, length)
    return [named(found, name, NAMES) for name in names]


def cache(
    submission: SubmissionNames, sizes: dict[str, int], batch: int, length: int, **options: object
) -> float:
    """Fetch the size of a cache, for a staff model of these sizes."""
    size = submission.estimate_kv_cache(
        build(submission, **sizes), batch_size=batch, seq_len=length, **options
    )
    return number(size, "the cache")


def assert_grows(
    size: Callable[[dict[str, int], int, int], float],
    sizes: dict[str, int],
    grown: dict[str, float],
) -> None:
    """Demand that a size follows all but one of what it depends on: a constant follows nothing.

    Args:
        size: of a model of some sizes, for a batch of sequences of a length.
        sizes: of the model.
        grown: how many times as large it is when one of the model's sizes, `batch` or `length`
            is doubled.
    """
    once = size(sizes, 3, 20)
    right = 0
    for name, times in grown.items():
        larger = {**sizes, name: 2 * sizes[name]} if name in sizes else sizes
        growth = size(larger, 3 * (1 + (name == "batch")), 20 * (1 + (name == "length"))) / once
        right += 0.8 * times < growth < 1.25 * times
    if right < len(grown) - 1:
        fail("the result does not follow the sizes of the model and the text")
