"""The filter's decisions, on both architectures, by interpreting its program."""

from __future__ import annotations

import errno
import platform
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.jail import seccomp, syscalls
from grader.jail.seccomp import AUDIT_ARCH, RET_ALLOW, RET_ERRNO, RET_KILL_PROCESS
from grader.jail.syscalls import ARCHITECTURES, numbers

OWN_PID = 4242
EPERM, ENOSYS = RET_ERRNO | errno.EPERM, RET_ERRNO | errno.ENOSYS
PRETENDED = RET_ERRNO
POINTER = 0x7F00_1234_5678
HIGH_POINTER = 0x1_0000_0000  # its low word is zero

Decide = Callable[..., int]


def interpret(program: bytes, data: bytes) -> int:
    """Run classic BPF as the kernel does, for the instructions that the filter has."""
    code = list(struct.iter_unpack("<HBBI", program))
    accumulator, at = 0, 0
    while True:
        operation, if_true, if_false, operand = code[at]
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x54:
            accumulator &= operand
        elif operation == 0x06:
            return int(operand)
        else:
            holds = {
                0x15: accumulator == operand,
                0x35: accumulator >= operand,
                0x45: bool(accumulator & operand),
            }[operation]
            at += if_true if holds else if_false


def decision(number: int, arguments: tuple[int, ...], arch: int, *, gpu: bool = False) -> int:
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    wide = [argument & 0xFFFF_FFFF_FFFF_FFFF for argument in padded]
    data = struct.pack("<IIQ6Q", number & 0xFFFF_FFFF, arch, 0, *wide)
    return interpret(seccomp.build_filter(OWN_PID, gpu=gpu), data)


@pytest.fixture(params=ARCHITECTURES)
def decide(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Decide:
    """What the filter says to a call, by its name."""
    monkeypatch.setattr(platform, "machine", lambda: request.param)
    known = numbers(syscalls.ALLOWED) | numbers(syscalls.CONDITIONAL) | numbers(syscalls.BUILDING)
    known |= numbers(syscalls.PRETENDED) | numbers(syscalls.UNKNOWN)
    known |= {"openat2": 437, "execve": 59 if request.param == "x86_64" else 221}
    known |= {"truncate": 76 if request.param == "x86_64" else 45}

    def by_name(name: str, *arguments: int) -> int:
        return decision(known[name], arguments, AUDIT_ARCH[request.param])

    return by_name


@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        ("read", (), RET_ALLOW),
        ("execve", (), EPERM),
        ("truncate", (), EPERM),
        ("seccomp", (), EPERM),
        ("mount_setattr", (), ENOSYS),
        ("clone", (0x3D0F00,), RET_ALLOW),  # what pthread_create asks for
        ("clone", (17,), EPERM),  # what fork asks for
        ("clone", (0x10000 | 0x10000000,), EPERM),
        ("clone3", (), ENOSYS),
        ("openat2", (), ENOSYS),
        ("kill", (OWN_PID, 10), RET_ALLOW),
        ("kill", (OWN_PID + 1, 10), EPERM),
        ("kill", (0, 10), EPERM),
        ("kill", (-1, 9), EPERM),
        ("kill", (1, 9), EPERM),
        ("tgkill", (OWN_PID, 1, 6), RET_ALLOW),
        ("tgkill", (1, 1, 6), EPERM),
        ("openat", (0, 0, 0), RET_ALLOW),
        ("openat", (0, 0, 0o1001), RET_ALLOW),  # O_WRONLY | O_TRUNC
        ("openat", (0, 0, 0o1000), EPERM),  # O_RDONLY | O_TRUNC
        ("mmap", (0, 4096, 3, 0x22), RET_ALLOW),
        ("mmap", (0, 4096, 3, 0x21), EPERM),
        ("mmap", (0, 4096, 3, 0x23), EPERM),  # MAP_SHARED_VALIDATE
        ("mmap", (0, 4096, 3, 0x01), RET_ALLOW),
        ("prctl", (15,), RET_ALLOW),  # PR_SET_NAME
        ("prctl", (22,), EPERM),  # PR_SET_SECCOMP
        ("prctl", (4, 1), EPERM),  # PR_SET_DUMPABLE
        ("prctl", (1, 0), EPERM),  # PR_SET_PDEATHSIG
        ("ioctl", (0, 0x5401), RET_ALLOW),
        ("ioctl", (0, 0x5412), RET_ERRNO | errno.ENOTTY),  # TIOCSTI
        ("fcntl", (0, 3), RET_ALLOW),
        ("fcntl", (0, 6), PRETENDED),  # F_SETLK
        ("fcntl", (0, 8), EPERM),  # F_SETOWN
        ("fcntl", (0, 1031), EPERM),  # F_SETPIPE_SZ
        ("socketpair", (1, 1), RET_ALLOW),
        ("socketpair", (1, 1 | 0o2000000), RET_ALLOW),  # SOCK_CLOEXEC
        ("socketpair", (1, 2), EPERM),
        ("socketpair", (2, 1), EPERM),
        ("sendto", (3, POINTER, 1, 0, 0, 0), RET_ALLOW),
        ("sendto", (3, POINTER, 1, 0, POINTER, 16), EPERM),
        ("sendto", (3, POINTER, 1, 0, HIGH_POINTER, 16), EPERM),
        ("prlimit64", (0, 7, 0, POINTER), RET_ALLOW),
        ("prlimit64", (OWN_PID, 7, 0, POINTER), RET_ALLOW),
        ("prlimit64", (1, 7, 0, POINTER), EPERM),
        ("prlimit64", (0, 7, POINTER, 0), EPERM),
        ("prlimit64", (0, 7, HIGH_POINTER, 0), EPERM),
        ("fchmodat", (), PRETENDED),
        ("flock", (), PRETENDED),
    ],
)
def test_the_filter_decides(
    decide: Decide, call: str, arguments: tuple[int, ...], answer: int
) -> None:
    assert decide(call, *arguments) == answer


@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        ("socket", (1, 5 | 0o2000000), RET_ALLOW),  # AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC
        ("socket", (1, 1), EPERM),
        ("socket", (1, 2), EPERM),
        ("socket", (2, 5), EPERM),
        ("connect", (3, POINTER, 26), RET_ERRNO | errno.ENOENT),
        ("setsockopt", (3, 1, 16), RET_ALLOW),
        ("setsockopt", (3, 1, 7), EPERM),
        ("setsockopt", (3, 6, 16), EPERM),
        ("bind", (), RET_ALLOW),
        ("ioctl", (0, 0xC020_462B), RET_ALLOW),
        ("mmap", (0, 4096, 3, 0x21), RET_ALLOW),
    ],
)
def test_a_graphics_driver_gets_what_it_asks_for(
    call: str, arguments: tuple[int, ...], answer: int
) -> None:
    number = numbers({**syscalls.FOR_GPU, **syscalls.CONDITIONAL_FOR_GPU})[call]
    arch = AUDIT_ARCH[platform.machine()]
    assert decision(number, arguments, arch, gpu=True) == answer
    plain = decision(number, arguments, arch)
    assert plain == {"ioctl": RET_ERRNO | errno.ENOTTY}.get(call, EPERM)


@given(number=st.integers(0, 0xFFFF_FFFF), arch=st.integers(0, 0xFFFF_FFFF))
def test_another_architecture_is_deadly(number: int, arch: int) -> None:
    if arch != AUDIT_ARCH[platform.machine()]:
        assert decision(number, (), arch) == RET_KILL_PROCESS


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 is of x86_64")
@given(number=st.integers(0x4000_0000, 0xFFFF_FFFF))
def test_x32_is_deadly(number: int) -> None:
    assert decision(number, (), AUDIT_ARCH["x86_64"]) == RET_KILL_PROCESS


@given(number=st.integers(0, 1000), arguments=st.lists(st.integers(0, 2**64 - 1), max_size=6))
def test_nothing_else_is_allowed(number: int, arguments: list[int]) -> None:
    listed = {*numbers(syscalls.ALLOWED).values(), *numbers(syscalls.CONDITIONAL).values()}
    answer = decision(number, tuple(arguments), AUDIT_ARCH[platform.machine()])
    assert (answer == RET_ALLOW) <= (number in listed)


@pytest.mark.parametrize("column", range(len(ARCHITECTURES)))
def test_no_call_is_in_two_tables(column: int) -> None:
    tables = (
        syscalls.ALLOWED,
        syscalls.CONDITIONAL,
        syscalls.PRETENDED,
        syscalls.UNSUPPORTED,
        syscalls.UNKNOWN,
        syscalls.BUILDING,
    )
    found = [
        pair[column] for table in tables for pair in table.values() if pair[column] is not None
    ]
    assert len(found) == len(set(found))


TABLES = (
    syscalls.ALLOWED,
    syscalls.CONDITIONAL,
    syscalls.FOR_GPU,
    syscalls.CONDITIONAL_FOR_GPU,
    syscalls.PRETENDED,
    syscalls.UNSUPPORTED,
    syscalls.UNKNOWN,
    syscalls.BUILDING,
)

# where Debian puts the headers of both architectures, on whichever it runs
HEADERS = {"x86_64": "x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_numbers_are_those_of_the_kernel_headers(machine: str) -> None:
    header = Path("/usr/include", HEADERS[machine])
    if not header.exists():
        pytest.skip("no kernel headers here")
    text = header.read_text()
    truth = {
        name: int(number)
        for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)
    }
    renamed = re.findall(r"#define __NR_(\w+)\s+__NR3264_(\w+)", text)
    truth |= {name: truth[generic] for name, generic in renamed if generic in truth}
    column = ARCHITECTURES.index(machine)
    for table in TABLES:
        for name, pair in table.items():
            # None: that architecture has no such call; a header may be older than a call
            assert pair[column] == truth.get(name, pair[column]), name
            assert pair[column] is not None or name not in truth, name


def test_an_unknown_machine_has_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert not syscalls.supported()
    with pytest.raises(OSError, match="riscv64"):
        numbers(syscalls.ALLOWED)
