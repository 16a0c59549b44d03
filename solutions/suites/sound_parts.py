"""A student's model, made of their own parts or of the course's: what assignments 03 and 04 share.

A mistake in an earlier assignment costs points there and nowhere else, so a check of the model is
tried in several ways, and one is enough.
"""

import contextlib
import random
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from grader.testing import Handle, SubmissionNames, settle, standing_in

Build = Callable[..., Handle]
EARLIER = ("TransformerEmbedding", "TransformerBlock")


def built(submission: SubmissionNames, **arguments: object) -> Handle:
    """The model as the student builds it, on the device that is graded on."""
    model = submission.TinyTransformerLM(**arguments)
    return submission.placed(model)


def built_of_course_parts(submission: SubmissionNames, **arguments: object) -> Handle:
    """The same, where the model's code takes the course's embedding and blocks for its own."""
    parts = submission.module("course.parts")
    stand_ins = {name: getattr(parts, name) for name in EARLIER}
    with standing_in(submission.TinyTransformerLM, **stand_ins):
        return built(submission, **arguments)


@contextlib.contextmanager
def sound_forward(owner: Handle, sound: Handle) -> Iterator[None]:
    """Let a class compute as a sound one does, while inside; a subclass keeps what it overrides."""
    own = owner.forward.done()
    owner.forward = sound.forward
    try:
        yield
    finally:
        try:
            settle()  # what raises in there must not keep the method from being put back
        finally:
            owner.forward = own


def draw(rng: random.Random, *shape: int) -> Tensor:
    """Numbers from N(0, 1)."""
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    return torch.randn(shape, generator=generator)
