"""What the tests of a worker have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from walled import ready_zygote

from grader.judging.spawning import Zygote


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with ready_zygote() as zygote:
        yield zygote
