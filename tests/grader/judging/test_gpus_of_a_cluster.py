"""Which device is asked for where nobody here knows what workers have."""

from __future__ import annotations

import msgspec
import pytest

from grader.config.course import Course
from grader.errors import UsageError
from grader.judging.gpus import device_of_cluster


def test_the_course_decides_whether_a_gpu_is_asked_for(toy_course: Course) -> None:
    assert device_of_cluster("auto", toy_course) == "cpu"
    assert device_of_cluster("auto", msgspec.structs.replace(toy_course, gpu=True)) == "cuda"
    assert device_of_cluster("cuda", toy_course) == "cuda"


def test_the_number_of_a_gpu_says_nothing_on_a_cluster(toy_course: Course) -> None:
    with pytest.raises(UsageError, match="a GPU of one machine"):
        device_of_cluster("cuda:1", toy_course)
