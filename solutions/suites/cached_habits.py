"""What generation's checks ask of a text that is written with a cache: all that it is without."""

from typing import Any

from kept_states import CacheJudge, witnessed
from torch import Tensor

from grader.testing import StudentError, assert_equal, elements, raises, tried, values
from grader.testing.failure import CheckFailed

LIMITS: dict[str, float] = {"top_k": 3, "top_p": 0.8, "min_p": 0.1}


def assert_same_habits(judge: CacheJudge, prompt: Tensor, new: int) -> None:
    """Demand that whatever `generate` does without the cache, it does with it.

    What it does not do without, it need not do with: that is lost elsewhere.
    """
    judge.redraw(sharpness=1.0)
    limits = limits_that_count(judge, prompt)
    one, other, source = judge.rng.sample(range(2**31), 3)
    for start, training in ((prompt.int(), True), (prompt, False)):

        def look(
            kept: bool, seed: int, start: Tensor = start, training: bool = training
        ) -> dict[str, object]:
            judge.model.train(training)
            return habits(judge, start, new, seed, source, use_cache=kept, **limits)

        try:
            plain, again = look(False, one), look(False, other)
        except (StudentError, CheckFailed):
            continue
        if plain["the text"] != again["the text"]:  # by dropout, or not from the generator
            continue
        for what, found in look(True, one).items():
            if found is False:  # autograd remembers nothing: nobody need do worse
                continue
            if found != plain[what] and look(False, one)[what] == plain[what]:
                assert_equal(found, plain[what], f"{what}, with the cache")
        break
    judge.model.eval()
    for start, count, temperature in (
        (prompt, 1, -1.0),
        (prompt, -1, 1.0),
        (prompt[:, :0], 1, 1.0),
    ):
        assert_refused_alike(judge, start, count, temperature=temperature)


def limits_that_count(judge: CacheJudge, prompt: Tensor) -> dict[str, float]:
    """Limits that `generate` takes, without the cache."""

    def taken(**some: float) -> bool:
        return tried(lambda: judge.writer.write(judge.model, prompt, 1, **some)) is None

    if taken(**LIMITS):
        return LIMITS
    return {name: limit for name, limit in LIMITS.items() if taken(**{name: limit})}


def habits(
    judge: CacheJudge, prompt: Tensor, new: int, seed: int, source_seed: int, **options: object
) -> dict[str, object]:
    """What is written with a generator, and how everything is afterwards."""
    submission = judge.writer.submission
    torch_there: Any = submission.module("torch")
    source = torch_there.Generator(submission.device).manual_seed(source_seed)
    submission.seed(seed)
    sent = submission.send(prompt.clone())
    options = {"temperature": 2.0, "generator": source, **options}
    with witnessed(submission, judge.model) as since:
        text = judge.writer.write(judge.model, sent, new, **options)
        remembered = any(since())
    modes: list[bool] = values(part.training for part in elements(judge.model.modules()))
    return {
        "the text": text.tolist(),
        "the text's dtype": str(text.dtype),
        "whether autograd remembers": remembered,
        "the prompt afterwards": sent.tensor().tolist(),
        "the modes of the modules": modes,
        "what is drawn afterwards": torch_there.rand(4).tensor().tolist(),
    }


def assert_refused_alike(judge: CacheJudge, prompt: Tensor, new: int, **options: object) -> None:
    """Demand a ValueError with the cache, if there is one without."""

    def refused(kept: bool) -> None:
        with raises("ValueError", what="what is refused without the cache"):
            judge.writer.write(judge.model, prompt, new, use_cache=kept, **options)

    if tried(lambda: refused(False)) is None:
        refused(True)
