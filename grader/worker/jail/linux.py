"""The kernel's own calls that Python does not wrap. Loads nothing until it is used."""

from __future__ import annotations

import ctypes
import functools
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def prctl(option: int, argument: int = 0) -> None:
    """Call prctl(2) with one argument; does nothing where there is no such call.

    Raises:
        OSError: the kernel refused.
    """
    if not sys.platform.startswith("linux"):
        return
    longs = [ctypes.c_ulong(value) for value in (argument, 0, 0, 0)]
    if _libc().prctl(ctypes.c_int(option), *longs) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def set_dumpable(dumpable: bool) -> None:
    """Say whether processes of the same user may trace this one and read its memory."""
    prctl(PR_SET_DUMPABLE, int(dumpable))
