"""What memory_estimation's checks compare: what a student's functions say, and what is right.

Expected numbers come from sizes and arithmetic here; never from over there.
"""

import contextlib
import random
from collections.abc import Callable

from course.checks.estimated_sizes import NAMES, build, number
from course.checks.estimated_sizes import n_parameters as n_plain
from grader.testing import Handle, StudentError, SubmissionNames, assert_close
from grader.testing.failure import fail

MIB = 1024**2


def random_sizes(rng: random.Random) -> dict[str, int]:
    """Arguments of a small model; d_ff is neither d_model nor four times that."""
    n_heads = rng.randrange(2, 5)
    d_model = n_heads * rng.randrange(4, 9)
    return {
        "vocab_size": rng.randrange(300, 600),
        "d_model": d_model,
        "n_heads": n_heads,
        "n_layers": rng.randrange(2, 4),
        "d_ff": rng.choice((2, 5)) * d_model + rng.randrange(1, d_model),
        "max_len": rng.randrange(60, 90),
    }


def build_plain(submission: SubmissionNames, **arguments: object) -> Handle:
    """One whose parameters nobody can miscount: nothing is shared and nothing is a buffer."""
    return build(submission, **arguments, tie_weights=False, positional="learned")


def n_parameters(sizes: dict[str, int]) -> int:
    """Number of parameters of a model with tied weights and sinusoidal positions."""
    return n_plain(sizes) - (sizes["vocab_size"] + sizes["max_len"]) * sizes["d_model"]


def model_memory(submission: SubmissionNames, model: Handle, **options: object) -> dict[str, float]:
    """Fetch what `estimate_model_memory` returns; a public check asks for the missing names."""
    memory = submission.estimate_model_memory(model, **options).done()
    sizes = {}
    for name in NAMES:
        with contextlib.suppress(StudentError):
            sizes[name] = number(memory[name], f'"{name}"')
    if "parameters" not in sizes:
        fail('there is no "parameters" in the result')
    return sizes


def parameters(submission: SubmissionNames, model: Handle, **options: object) -> float:
    """Fetch the size of the parameters alone."""
    return model_memory(submission, model, **options)["parameters"]


def assert_all_close(actual: dict[str, float], expected: dict[str, float], what: str) -> None:
    """Compare the sizes that came under any of the names."""
    for name, size in expected.items():
        if name not in actual:
            fail(f'there is no "{name}" in the result {what}')
        assert_close(actual[name], size, f'"{name}" {what}', atol=0)


def activations(
    submission: SubmissionNames, sizes: dict[str, int], batch: int, length: int, **options: object
) -> float:
    """Fetch the estimate for a staff model of these sizes."""
    estimate = submission.estimate_activation_memory(
        build(submission, **sizes), batch_size=batch, seq_len=length, **options
    )
    return number(estimate, "the estimate of the activations")


def expected_activations(
    sizes: dict[str, int], batch: int, length: int, itemsize: int = 4
) -> float:
    """What autograd keeps, in MiB: see the reference, which is measured against autograd."""
    positions = batch * length
    block = 8 * sizes["d_model"] + 2 * sizes["d_ff"] + sizes["n_heads"] * length
    total = sizes["n_layers"] * (block * itemsize + 16) + 2 * sizes["d_model"] * itemsize + 8
    return positions * total / MIB


def assert_sizes_matter(submission: SubmissionNames, rng: random.Random) -> None:
    """Demand that the estimate follows three of five sizes, give or take a half.

    That is the twin of everything that must not change it. A mistake in one term passes; what is
    no formula of what is kept does not.
    """
    sizes = {
        "vocab_size": 200,
        "d_model": 24,
        "n_heads": 4,
        "n_layers": 1,
        "d_ff": rng.randrange(66, 78),
        "max_len": 50,
    }
    batch, length = 3, rng.randrange(22, 25)

    def growths(estimate: Callable[[dict[str, int], int], float]) -> list[float]:
        """How much more is kept if a size is larger; what a longer text adds beyond its length."""
        one = estimate(sizes, length)
        larger = {"d_model": 48, "d_ff": 3 * sizes["d_ff"], "n_heads": 8, "n_layers": 2}
        more = [estimate({**sizes, name: size}, length) for name, size in larger.items()]
        return [*(size / one - 1 for size in more), estimate(sizes, 2 * length) / one - 2]

    actual = growths(lambda sizes, length: activations(submission, sizes, batch, length))
    expected = growths(lambda sizes, length: expected_activations(sizes, batch, length))
    right = sum(e / 1.5 < a < 1.5 * e for a, e in zip(actual, expected, strict=True))
    if right < 3:
        fail("the estimate does not follow the sizes of the model and the text")


def random_input(rng: random.Random) -> tuple[int, int]:
    """Numbers of sequences and of tokens in each."""
    return rng.randrange(3, 8), rng.randrange(20, 50)
