"""The system-call filter: an allow-list in classic BPF, seccomp(2).

It bounds the part of the kernel that a submission can reach, and alone denies what Landlock does
not know: chmod, sockets, signals to others, new processes.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable, Mapping, Sequence

from grader.jail.linux import syscall
from grader.jail.syscalls import (
    ALLOWED,
    CONDITIONAL,
    CONDITIONAL_FOR_GPU,
    FOR_GPU,
    PRETENDED,
    UNKNOWN,
    UNSUPPORTED,
    numbers,
)

SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_TSYNC = 1  # every thread, or failure

AUDIT_ARCH = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
X32_BIT = 0x4000_0000
FIRST_CALL_OF_5_3 = 435  # newer than these tables: "unknown" makes callers fall back

RET_ALLOW = 0x7FFF_0000
RET_KILL_PROCESS = 0x8000_0000
RET_ERRNO = 0x0005_0000

# BPF opcodes: load a word, compare, test bits, mask, return
LOAD, EQUAL, AT_LEAST, ANY_BIT, MASK, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
OFFSET_NUMBER, OFFSET_ARCH, OFFSET_ARGUMENTS = 0, 4, 16

CLONE_THREAD = 0x0001_0000
CLONE_ANY_NAMESPACE = 0x7E02_0000
MAP_SHARED_ANONYMOUS = 0x21
O_TRUNC, O_ACCMODE = 0x200, 0x3
AF_UNIX, SOCK_STREAM, SOCK_SEQPACKET, SOCK_TYPE_MASK = 1, 1, 5, 0xF
SOL_SOCKET, SO_PASSCRED = 1, 16

# PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_SET_VMA,
# and how wide vectors are on aarch64: PR_SVE_GET_VL, PR_SME_GET_VL
PRCTL_OPTIONS = (15, 16, 3, 23, 39, 0x5356_4D41, 51, 64)
# TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
IOCTL_REQUESTS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC: no F_SETOWN, no F_SETSIG
FCNTL_COMMANDS = (0, 1, 2, 3, 4, 1030)
# F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW: a lock on a shared file would be a message
FCNTL_LOCKS = (6, 7, 37, 38)

Code = list[bytes]


def _op(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, operand & 0xFFFF_FFFF)


def _fail(number: int) -> bytes:
    return _op(RETURN, RET_ERRNO | number)


ALLOW = _op(RETURN, RET_ALLOW)
DENY = _fail(errno.EPERM)
PRETEND = _fail(0)


def build_filter(own_pid: int, *, gpu: bool = False) -> bytes:
    """Assemble the filter.

    Args:
        own_pid: the worker's process id, as it sees it.
        gpu: whether it may talk to a graphics driver: any ioctl, and memory that it shares with it.
    """
    code: Code = [
        _op(LOAD, OFFSET_ARCH),
        _op(EQUAL, AUDIT_ARCH[platform.machine()], 1, 0),
        _op(RETURN, RET_KILL_PROCESS),  # another ABI has other numbers: int 0x80
        _op(LOAD, OFFSET_NUMBER),
    ]
    if platform.machine() == "x86_64":
        code += [_op(AT_LEAST, X32_BIT, 0, 1), _op(RETURN, RET_KILL_PROCESS)]
    code += _answer(numbers(ALLOWED).values(), ALLOW)
    if gpu:
        code += _answer(numbers(FOR_GPU).values(), ALLOW)
        code += _answer_by_arguments(numbers(CONDITIONAL_FOR_GPU), _conditions_for_gpu())
    code += _answer_by_arguments(numbers(CONDITIONAL), _conditions(own_pid))
    code += _answer(numbers(PRETENDED).values(), PRETEND)
    code += _answer(numbers(UNSUPPORTED).values(), _fail(errno.ENOTSUP))
    code += _answer(numbers(UNKNOWN).values(), _fail(errno.ENOSYS))
    code += [_op(AT_LEAST, FIRST_CALL_OF_5_3, 0, 1), _fail(errno.ENOSYS), DENY]
    return b"".join(code)


def _answer(calls: Iterable[int], answer: bytes) -> Code:
    return [op for call in sorted(calls) for op in (_op(EQUAL, call, 0, 1), answer)]


def _answer_by_arguments(calls: Mapping[str, int], conditions: Mapping[str, Code]) -> Code:
    return [
        op
        for name, body in conditions.items()
        if name in calls
        for op in (_op(EQUAL, calls[name], 0, len(body)), *body)
    ]


def _conditions(own_pid: int) -> dict[str, Code]:
    """For each conditional call, code that always returns an answer."""
    only_self = _allow_if(_low(0), [own_pid])
    return {
        "open": _deny_truncating_reader(1),
        "openat": _deny_truncating_reader(2),
        # RLIMIT_DATA does not count shared anonymous memory
        "mmap": [
            _low(3),
            _op(MASK, MAP_SHARED_ANONYMOUS),
            _op(EQUAL, MAP_SHARED_ANONYMOUS, 0, 1),
            DENY,
            ALLOW,
        ],
        # threads, not processes, and in no new namespace
        "clone": [
            _low(0),
            _op(ANY_BIT, CLONE_ANY_NAMESPACE, 2, 0),
            _op(ANY_BIT, CLONE_THREAD, 0, 1),
            ALLOW,
            DENY,
        ],
        "kill": only_self,
        "tgkill": only_self,
        "prctl": _allow_if(_low(0), PRCTL_OPTIONS),
        "ioctl": _allow_if(_low(1), IOCTL_REQUESTS, otherwise=_fail(errno.ENOTTY)),
        "fcntl": [
            _low(1),
            *_answer(FCNTL_COMMANDS, ALLOW),
            *_answer(FCNTL_LOCKS, PRETEND),
            DENY,
        ],
        # what asyncio needs; a datagram socket could send to any socket that has a path
        "socketpair": _allow_unix_sockets(SOCK_STREAM),
        "sendto": [*_deny_unless_null(4), ALLOW],
        # reading one's own limits
        "prlimit64": [*_deny_unless_null(2), *_allow_if(_low(0), [0, own_pid])],
    }


def _conditions_for_gpu() -> dict[str, Code]:
    """What CUDA's driver gives up without."""
    # it waits on a socket for processes to share memory with, where none can come, and it looks
    # for a server through which processes share a GPU, and finds none
    return {
        "socket": _allow_unix_sockets(SOCK_SEQPACKET),
        "connect": [_fail(errno.ENOENT)],
        "setsockopt": [
            _low(1),
            _op(EQUAL, SOL_SOCKET, 0, 3),
            _low(2),
            _op(EQUAL, SO_PASSCRED, 0, 1),
            ALLOW,
            DENY,
        ],
    }


def _allow_unix_sockets(kind: int) -> Code:
    return [
        _low(0),
        _op(EQUAL, AF_UNIX, 0, 4),
        _low(1),
        _op(MASK, SOCK_TYPE_MASK),
        _op(EQUAL, kind, 0, 1),
        ALLOW,
        DENY,
    ]


def _low(argument: int) -> bytes:
    """Load an argument's low word: all of an `int`."""
    return _op(LOAD, OFFSET_ARGUMENTS + 8 * argument)


def _high(argument: int) -> bytes:
    return _op(LOAD, OFFSET_ARGUMENTS + 8 * argument + 4)


def _allow_if(load: bytes, values: Sequence[int], otherwise: bytes = DENY) -> Code:
    return [load, *_answer(values, ALLOW), otherwise]


def _deny_truncating_reader(flags: int) -> Code:
    """Deny O_RDONLY | O_TRUNC: before its third version, Landlock takes that for reading."""
    return [
        _low(flags),
        _op(MASK, O_TRUNC | O_ACCMODE),
        _op(EQUAL, O_TRUNC, 0, 1),
        DENY,
        ALLOW,
    ]


def _deny_unless_null(argument: int) -> Code:
    """Deny unless a pointer is null, else go on."""
    return [
        _low(argument),
        _op(EQUAL, 0, 0, 2),
        _high(argument),
        _op(EQUAL, 0, 1, 0),
        DENY,
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def load_filter(code: bytes) -> None:
    """Put the filter on every thread of this process, for good. Needs no_new_privs.

    Raises:
        OSError: the kernel refused.
    """
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    flags = SECCOMP_FILTER_FLAG_TSYNC
    syscall("seccomp", SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(program))
