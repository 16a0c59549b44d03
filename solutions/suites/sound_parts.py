"""A class that computes as a sound one, for a while."""

import contextlib
from collections.abc import Iterator

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
