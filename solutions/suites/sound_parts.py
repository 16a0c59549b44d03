"""What the suites of models share: a class that computes as a sound one, and random numbers."""

import contextlib
import random
from collections.abc import Iterator

import torch
from torch import Tensor

from grader.testing import Handle, settle


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
