"""Why a worker would grade nothing."""

from __future__ import annotations

import msgspec
import pytest

from grader.integrations.dask.doctor import _judged
from grader.integrations.dask.messages import Host

FIT = Host("tcp://a:1", "a", engine="e" * 64, mode="full", complete=True, free_bytes=1 << 40)


def judged(clock: float = 1000.0, **other: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    host = msgspec.structs.replace(FIT, clock=clock, **other)
    found = _judged(host, "e" * 64, asked_at=1000.0, took_s=3.0)
    return found.unfit, found.remarks


def test_a_worker_that_has_all_is_fit() -> None:
    assert judged(1002.0) == ((), ())


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"missing": ("no network",)}, "the wall is not complete: no network"),
        ({"engine": "f" * 64}, f"another engine: {'f' * 16} instead of {'e' * 16}"),
        ({"free_bytes": 1 << 20}, "only 1 MiB are free"),
        ({"error": "it does not answer"}, "it does not answer"),
    ],
)
def test_what_keeps_a_worker_from_grading(other: dict[str, object], said: str) -> None:
    [reason], _ = judged(**other)
    assert reason.startswith(said)


@pytest.mark.parametrize(("clock", "off"), [(900.0, "100 s"), (1103.0, "100 s")])
def test_a_clock_that_is_off_is_only_told(clock: float, off: str) -> None:
    assert judged(clock) == ((), (f"its clock is {off} off",))
