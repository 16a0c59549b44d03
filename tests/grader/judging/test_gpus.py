"""Which device checks run on, and how many workers share a GPU."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.config.course import Course
from grader.errors import UsageError
from grader.judging.gpus import Leases, find_gpus, resolve_device


@pytest.fixture
def trusting(toy_course: Course) -> Course:
    """A course whose table says `gpu = true`."""
    return msgspec.structs.replace(toy_course, gpu=True)


THREE = ("nvidiactl", "nvidia0", "nvidia1", "nvidia10", "nvidia-uvm")


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ((), ()),
        (("null", "nvidia0"), ()),  # cards without a driver
        (THREE, (0, 1, 2)),
        (("nvidiactl", "nvidia3"), (0,)),  # a container that was given one of several
        (("dxg",), (0,)),
    ],
)
def test_gpus_are_found_by_their_files(
    tmp_path: Path, files: tuple[str, ...], found: tuple[int, ...]
) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert find_gpus(tmp_path, {}) == found


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        ("", ()),
        ("-1", ()),
        ("2", (0,)),
        ("GPU-8932f937, GPU-5e1f0b2a", (0, 1)),
        ("0,1,2,3,4", (0, 1, 2)),
    ],
)
def test_only_the_gpus_that_are_ours_are_found(
    tmp_path: Path, visible: str, found: tuple[int, ...]
) -> None:
    for name in THREE:
        (tmp_path / name).touch()
    assert find_gpus(tmp_path, {"CUDA_VISIBLE_DEVICES": visible}) == found


def test_a_gpu_is_used_only_where_somebody_says_so(toy_course: Course, trusting: Course) -> None:
    assert resolve_device("auto", toy_course, (0,)) == "cpu"
    assert resolve_device("auto", trusting, (0,)) == "cuda"
    assert resolve_device("auto", trusting, ()) == "cpu"
    assert resolve_device("cpu", trusting, (0,)) == "cpu"
    assert resolve_device("cuda", toy_course, (0,)) == "cuda"
    assert resolve_device("cuda:1", toy_course, (0, 1)) == "cuda:1"


@pytest.mark.parametrize(
    ("name", "gpus", "hint"),
    [("cuda", (), "--device cpu"), ("cuda:2", (0, 1), "there is cuda:0, cuda:1")],
)
def test_a_gpu_that_is_not_there_is_told(
    toy_course: Course, name: str, gpus: tuple[int, ...], hint: str
) -> None:
    with pytest.raises(UsageError, match=f"no NVIDIA GPU for --device {name}") as caught:
        resolve_device(name, toy_course, gpus)
    assert hint in (caught.value.hint or "")


def test_leases_spread_over_gpus_and_end() -> None:
    leases = Leases((0, 3), per_gpu=2)
    taken = [leases.take("cuda") for _ in range(5)]
    assert taken == ["cuda:0", "cuda:3", "cuda:0", "cuda:3", None]
    leases.give("cuda:3")
    assert leases.take("cuda:0") is None
    assert leases.take("cuda") == "cuda:3"


def test_the_processor_is_never_short() -> None:
    leases = Leases((), per_gpu=1)
    assert [leases.take("cpu") for _ in range(3)] == ["cpu"] * 3


@given(
    gpus=st.integers(1, 4),
    per_gpu=st.integers(1, 3),
    actions=st.lists(st.sampled_from(["take", "give"]), max_size=60),
)
def test_no_gpu_ever_has_more_workers_than_it_may(
    gpus: int, per_gpu: int, actions: list[str]
) -> None:
    leases, held = Leases(range(gpus), per_gpu), list[str]()
    for action in actions:
        if action == "give" and held:
            leases.give(held.pop(0))
        elif action == "take":
            lease = leases.take("cuda")
            assert (lease is None) == (len(held) == gpus * per_gpu)
            held += [lease] if lease else []
        assert all(held.count(gpu) <= per_gpu for gpu in held)
