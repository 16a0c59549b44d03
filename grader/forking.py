"""Makes a process cheap to fork: most of a fork is copying the table of its pages.

With torch loaded a process has some 35,000 small pages of its own. Put together to huge ones, a
fork copies one entry for 512 of them; what a child writes to is taken apart again, page by page.
"""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HUGE_PAGE = 2 << 20
MADV_COLLAPSE = 25
"""Linux 6.1 and newer; older kernels refuse, and forks stay what they were. See madvise(2)."""

REGION = re.compile(r"([0-9a-f]+)-([0-9a-f]+) .w.p")


def start_loading() -> None:
    """Call before anything is loaded that forks will share."""
    gc.disable()  # an import makes no garbage worth a fourth of its time


def prepare_to_fork() -> None:
    """Call when it is loaded; again after more was."""
    # A collection in a child would write to every object. Nor is there one here: what little
    # garbage imports leave is not worth the time that the first submission would wait.
    gc.freeze()
    gc.enable()


def join_pages() -> Iterator[bool]:
    """Put small pages together, some ten milliseconds' worth before each `True`.

    That takes a second in all, so it is for moments in which there is nothing else to do.
    """
    if sys.platform != "linux":
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start, end in list(_writable_regions()):
        for address in range(-(-start // HUGE_PAGE) * HUGE_PAGE, end - HUGE_PAGE + 1, HUGE_PAGE):
            madvise(address, HUGE_PAGE, MADV_COLLAPSE)  # refused where little of it is in use
            yield True


def _writable_regions() -> Iterator[tuple[int, int]]:
    for line in Path("/proc/self/maps").read_text().splitlines():
        match = REGION.match(line)
        if match:
            yield int(match[1], 16), int(match[2], 16)
