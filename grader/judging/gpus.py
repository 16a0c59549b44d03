"""GPUs: whether there are any, and which one a worker gets, so that only so many share one.

A driver that is open to submissions is a larger surface than the kernel alone, so a GPU is used
only where a person or the course's table says so: `--device cuda`, or `auto` with `gpu = true`.
"""

from __future__ import annotations

import os
import platform
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.config.course import Course
from grader.errors import UsageError

DRIVERS = ("nvidiactl", "dxg")
"""What the graphics driver is called in /dev: on Linux itself, and in Windows' Linux."""


def find_gpus(
    devices: Path = Path("/dev"), environment: Mapping[str, str] | None = None
) -> tuple[int, ...]:
    """Number the NVIDIA GPUs that may be used here from 0, as CUDA does; the driver is not asked.

    Args:
        devices: the folder of device files.
        environment: whose `CUDA_VISIBLE_DEVICES` says which ones are ours; this process's if not
            given.
    """
    if not any((devices / driver).exists() for driver in DRIVERS):
        return ()
    # a container may hold `nvidia3` alone: to CUDA that is number 0
    count = sum(bool(re.fullmatch(r"nvidia\d+", entry.name)) for entry in devices.iterdir()) or 1
    ours = (os.environ if environment is None else environment).get("CUDA_VISIBLE_DEVICES")
    if ours is not None:
        names = [name.strip() for name in ours.split(",")]
        count = min(count, sum(name not in ("", "-1") for name in names))
    return tuple(range(count))


def resolve_device(name: str, course: Course, gpus: Sequence[int] | None = None) -> str:
    """Say where checks run: `cpu`, `cuda` (any GPU that is free) or `cuda:N`.

    Args:
        name: what was asked for; `auto` leaves it to the course and the machine.
        course: whether it trusts its students with the graphics driver.
        gpus: the machine's; found out if not given.

    Raises:
        UsageError: a GPU was asked for that is not there.
    """
    found = find_gpus() if gpus is None else gpus
    if name == "auto":
        return "cuda" if course.gpu and found else "cpu"
    if name == "cpu":
        return name
    number = name.partition(":")[2]
    if not found or (number and int(number) not in found):
        there = ", ".join(f"cuda:{gpu}" for gpu in found)
        raise UsageError(
            f"no NVIDIA GPU for --device {name}",
            where=platform.node(),
            hint=f"there is {there}" if there else "use --device cpu",
        )
    return name


def device_of_cluster(name: str, course: Course) -> str:
    """Say where checks run on a cluster: `cpu` or `cuda`; whether there is any, its workers know.

    Raises:
        UsageError: the GPU of a number was asked for, of which every machine may have one.
    """
    if name == "auto":
        return "cuda" if course.gpu else "cpu"
    if name.partition(":")[2]:
        raise UsageError(
            f"--device {name} names a GPU of one machine", hint="on a cluster: --device cuda"
        )
    return name


class Leases:
    """Hands out devices, each GPU to at most `per_gpu` workers at once.

    Args:
        gpus: their numbers.
        per_gpu: how many workers may share one.
    """

    def __init__(self, gpus: Sequence[int], per_gpu: int) -> None:
        self._gpus = tuple(f"cuda:{number}" for number in gpus)
        self._per_gpu = per_gpu
        self._taken: Counter[str] = Counter()

    def take(self, device: str) -> str | None:
        """Return a place on `device`: `cpu` or `cuda:N`; None while there is none."""
        if device == "cpu":
            return device
        candidates = self._gpus if device == "cuda" else (device,)
        free = [gpu for gpu in candidates if self._taken[gpu] < self._per_gpu]
        if not free:
            return None
        chosen = min(free, key=lambda gpu: self._taken[gpu])
        self._taken[chosen] += 1
        return chosen

    def give(self, lease: str) -> None:
        """Take a place back."""
        if lease != "cpu":
            self._taken[lease] -= 1
