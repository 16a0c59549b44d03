"""The notebook's own sampler, asked without its loop: a missing `generate` costs no sampling."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from course.checks.writers import Way, Writer
from grader.testing import Handle, StudentError, SubmissionNames, tried


class SamplerWriter(Writer):
    """Writes with the notebook's `generate` or, where that is missing, by asking `sample_next`.

    The loop is here, one operation after the other: over there nobody gets to see one.
    """

    def _ways(self) -> Iterator[Way]:
        yield from self._own_ways()
        if self.submission.defines("sample_next"):
            yield self._staff, self._sampled

    def _sampled(self, model: Handle, prompt: Any, max_new_tokens: int, **options: Any) -> Handle:
        text = self.submission.send(prompt)
        concatenated = self.submission.module("torch").cat
        for _ in range(max_new_tokens):
            with self.submission.no_grad():
                last = model(text)[0].select(1, -1)
            new = self.submission.sample_next(last, **options)
            text = concatenated([text, new.to(text.dtype).unsqueeze(1)], dim=1)
        return text


def own_function(submission: SubmissionNames, name: str, *arguments: Tensor | float) -> bool:
    """Whether the notebook has a function that takes these arguments, as the stub so called does.

    Work may be divided otherwise: what has other parameters under that name is another function.
    """
    if not submission.defines(name):
        return False
    error = tried(lambda: getattr(submission, name)(*arguments).done())
    return not (isinstance(error, StudentError) and "TypeError" in error.kinds)
