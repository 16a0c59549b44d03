"""Landlock: which files a process may read and write, whatever its user may.

https://docs.kernel.org/userspace-api/landlock.html. It does not cover stat, chmod and sockets that
have a path: the private root and the system-call filter do.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from grader.jail.linux import syscall

CREATE_VERSION = 1
RULE_PATH_BENEATH = 1

WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(1, 6))
MAKE_DIR, MAKE_REG = 1 << 7, 1 << 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
EVERYTHING_OF_FIRST_VERSION = (1 << 13) - 1
FOR_FILES = 1 | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

READ = READ_FILE | READ_DIR
# no devices, sockets, FIFOs or symbolic links are made, nothing is executed
READ_AND_WRITE = (
    READ | WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER
)

BIND_AND_CONNECT_TCP = 3
ABSTRACT_SOCKETS_AND_SIGNALS = 3


def version() -> int:
    """Return the version of Landlock's interface; 0 where the kernel has none."""
    try:
        return syscall("landlock_create_ruleset", None, 0, CREATE_VERSION)
    except OSError:
        return 0


def _handled(abi: int) -> tuple[int, int, int]:
    """What is denied unless a rule allows it: file access, network, scopes."""
    files = EVERYTHING_OF_FIRST_VERSION
    for since, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)):
        files |= right if abi >= since else 0
    network = BIND_AND_CONNECT_TCP if abi >= 4 else 0
    scoped = ABSTRACT_SOCKETS_AND_SIGNALS if abi >= 6 else 0
    return files, network, scoped


class Ruleset:
    """Rules that are being collected; `restrict` puts them on this thread and its future children.

    Raises:
        OSError: the kernel has no Landlock.
    """

    def __init__(self) -> None:
        abi = version()
        self._files, network, scoped = _handled(abi)
        # older kernels refuse a longer struct than they know
        size = 24 if abi >= 6 else 16 if abi >= 4 else 8
        attributes = ctypes.create_string_buffer(
            struct.pack("<QQQ", self._files, network, scoped), 24
        )
        self._descriptor = syscall("landlock_create_ruleset", attributes, size, 0)

    def allow(self, rights: int, paths: Iterable[str]) -> None:
        """Allow `rights` on each path and below it; paths that do not exist are passed over."""
        for path in paths:
            try:
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
                allowed = rights & self._files & (-1 if is_folder else FOR_FILES)
                rule = ctypes.create_string_buffer(struct.pack("<Qi", allowed, descriptor), 12)
                syscall("landlock_add_rule", self._descriptor, RULE_PATH_BENEATH, rule, 0)
            finally:
                os.close(descriptor)

    def restrict(self) -> None:
        """Put the rules in force, for good. Needs no_new_privs.

        Raises:
            OSError: the kernel refused.
        """
        syscall("landlock_restrict_self", self._descriptor, 0)
        os.close(self._descriptor)
