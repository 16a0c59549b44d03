"""Whose code raised: the check's, which may be the submission's doing, or the way to the worker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.examination import LINK_FOLDER, _raised_in
from grader.worker.batch import decode_batch


def link_that_breaks() -> None:
    decode_batch(b"\x01")  # no batch: a number


def check_that_breaks() -> None:
    None.shape  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(("broken", "link"), [(link_that_breaks, True), (check_that_breaks, False)])
def test_the_link_is_told_from_the_check(broken: Callable[[], None], link: bool) -> None:
    with pytest.raises((TypeError, AttributeError)) as caught:
        broken()
    assert _raised_in(caught.value).is_relative_to(LINK_FOLDER) is link
