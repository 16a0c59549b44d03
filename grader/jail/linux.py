"""The kernel's own calls that Python does not wrap. Loads nothing until it is used."""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import sys

from grader.jail.syscalls import BUILDING, numbers

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

CLONE_NEWNS = 0x0002_0000
CLONE_NEWCGROUP = 0x0200_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2

AT_FDCWD = -100
AT_RECURSIVE = 0x8000
CAPABILITIES_VERSION_3 = 0x2008_0522


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def syscall(name: str, *arguments: object) -> int:
    """Make a call of the `BUILDING` table and return its result.

    Raises:
        OSError: the kernel refused.
    """
    number = numbers(BUILDING)[name]
    call = _libc().syscall
    call.restype = ctypes.c_long
    return _checked(name, call(ctypes.c_long(number), *map(_wide, arguments)))


def _wide(argument: object) -> object:
    # variadic arguments must be widened by hand, or the upper half is garbage
    if argument is None:
        return ctypes.c_void_p(None)
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def _checked(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def prctl(option: int, first: int = 0) -> int:
    """Set or get an option of this process; 0 where the system has no such call.

    Raises:
        OSError: the kernel refused.
    """
    if not sys.platform.startswith("linux"):
        return 0
    rest = [ctypes.c_ulong(value) for value in (first, 0, 0, 0)]
    return _checked("prctl", _libc().prctl(ctypes.c_int(option), *rest))


def set_name(name: str) -> None:
    """Name this process, and its forks, for whoever lists processes: 15 bytes at most."""
    text = ctypes.create_string_buffer(name.encode())
    prctl(PR_SET_NAME, ctypes.addressof(text))


def set_dumpable(dumpable: bool) -> None:
    """Say whether processes of the same user may trace this one and read its memory."""
    prctl(PR_SET_DUMPABLE, int(dumpable))


def has_no_new_privileges() -> bool:
    """Whether executing a file can't give this process privileges that it lacks."""
    return prctl(PR_GET_NO_NEW_PRIVS) == 1


def unshare(flags: int) -> None:
    """Move this process (its future children, for CLONE_NEWPID) into new namespaces.

    Raises:
        OSError: the kernel refused.
    """
    _checked("unshare", _libc().unshare(ctypes.c_int(flags)))


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount a file system, or change a mount.

    Raises:
        OSError: the kernel refused.
    """
    result = _libc().mount(
        os.fsencode(source),
        os.fsencode(target),
        None if kind is None else kind.encode(),
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _checked(f"mount {target}", result)


def restrict_mount(target: str, flags: int) -> None:
    """Set MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC on a mount and all mounts below it.

    Raises:
        OSError: the kernel refused.
    """
    # the attributes of mount_setattr(2) have the bits of the mount flags
    attributes = ctypes.create_string_buffer(struct.pack("<QQQQ", flags, 0, 0, 0), 32)
    syscall("mount_setattr", AT_FDCWD, os.fsencode(target), AT_RECURSIVE, attributes, 32)


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root and move the old one to `old`, a folder below it.

    Raises:
        OSError: the kernel refused.
    """
    syscall("pivot_root", os.fsencode(new), os.fsencode(old))


def detach_mount(target: str) -> None:
    """Unmount, lazily, with all that is mounted below.

    Raises:
        OSError: the kernel refused.
    """
    _checked("umount", _libc().umount2(os.fsencode(target), ctypes.c_int(MNT_DETACH)))


def drop_capabilities() -> None:
    """Give up every capability, and the means to gain one by executing a file.

    Raises:
        OSError: the kernel refused.
    """
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = ctypes.create_string_buffer(struct.pack("<II", CAPABILITIES_VERSION_3, 0), 8)
    none = ctypes.create_string_buffer(24)
    syscall("capset", header, none)
