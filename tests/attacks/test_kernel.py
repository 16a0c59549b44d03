"""Attempts through the kernel's less known doors: calls made raw, devices, descriptors, watches.

The numbers are those of x86-64. Nothing here goes for what is not the test's own.
"""

from __future__ import annotations

import platform
from textwrap import indent

import pytest
from hostile import BROKEN, DENIED, DONE, ON_LINUX, Aftermath, grade_between_neighbours, tries
from toy import RIGHT

from grader.jail import syscalls
from grader.model import EndingKind

pytestmark = ON_LINUX

LAST_CALL = 470  # newer than any kernel that these tests have met
PROBES = (335, 336)  # uretprobe, uprobe: filters never see them, and the kernel ends who calls them

# options of prctl(2) that would loosen the wall or bind others
PRCTL = {
    "PR_SET_PDEATHSIG": 1, "PR_SET_DUMPABLE": 4, "PR_SET_KEEPCAPS": 8, "PR_SET_TIMING": 14,
    "PR_SET_SECCOMP": 22, "PR_CAPBSET_DROP": 24, "PR_SET_TSC": 26, "PR_SET_SECUREBITS": 28,
    "PR_SET_TIMERSLACK": 29, "PR_SET_MM": 35, "PR_SET_CHILD_SUBREAPER": 36,
    "PR_SET_NO_NEW_PRIVS": 38, "PR_SET_THP_DISABLE": 41, "PR_CAP_AMBIENT": 47,
    "PR_SET_SPECULATION_CTRL": 53, "PR_SET_IO_FLUSHER": 57, "PR_SET_SYSCALL_USER_DISPATCH": 59,
    "PR_SCHED_CORE": 62, "PR_SET_MDWE": 65, "PR_SET_PTRACER": 0x59616D61,
}  # fmt: skip


def unlisted() -> list[int]:
    """Every call that the tables don't mention, on the machine that they are tried on."""
    if platform.machine() != "x86_64":
        return [165]  # not tried: see `kernel` in hostile.py
    tables = (syscalls.ALLOWED, syscalls.CONDITIONAL, syscalls.PRETENDED, syscalls.UNSUPPORTED)
    listed = {number for table in tables for number in syscalls.numbers(table).values()}
    return [number for number in range(LAST_CALL) if number not in {*listed, *PROBES}]


DENIED_DOORS = {
    "calls_up_to_200": tries(*(f"filtered({number})" for number in unlisted() if number < 200)),
    "calls_from_200": tries(*(f"filtered({number})" for number in unlisted() if number >= 200)),
    "prctl": tries(*(f"kernel(157, {option}, 1, 0, 0, 0)" for option in PRCTL.values())),
    "devices": tries(
        *(f"open('/dev/{name}', 'rb').read(1)" for name in ("tty", "console", "kvm", "fuse")),
        *(f"open('/dev/{name}', 'rb').read(1)" for name in ("net/tun", "mem", "kmsg", "sda")),
        "os.openpty()",
        "os.open('/dev/ptmx', os.O_RDWR)",
        "os.listdir('/dev/shm')",
        "os.listdir('/sys')",
        "os.listdir('/run')",
    ),
    # what carries a descriptor, or a signal, from one process to another
    "descriptor_passing": tries(
        "socket.send_fds(socket.socketpair()[0], [b'x'], [0])",
        "socket.socketpair()[0].sendmsg([b'x'])",
        "socket.socketpair()[0].recvmsg(1)",
        "socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, 16, 1)",
        "socket.socketpair(type=socket.SOCK_DGRAM)",
        "socket.socketpair(type=socket.SOCK_SEQPACKET)",
    ),
    "watches": tries(
        "kernel(294, 0)",
        *(
            f"fcntl.fcntl(os.open('.', 0), {command}, 1)"
            # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY, F_SETPIPE_SZ, F_ADD_SEALS
            for command in (8, 10, 15, 1024, 1026, 1031, 1033)
        ),
        "fcntl.ioctl(0, 0x5412, b'x')",
        "fcntl.ioctl(1, 0x8902, b'    ')",
    ),
    # a program that has no path
    "programs_without_a_name": tries(
        "os.execve(os.open(os.__file__, os.O_RDONLY), ['x'], {})",
        "os.execve(os.memfd_create('x'), ['x'], {})",
        "kernel(322, os.open(os.__file__, 0), b'\\0', 0, 0, 0x1000)",
        "ctypes.CDLL(None).fexecve and os.execv('/proc/self/exe', ['python'])",
        "kernel(59, b'/lib64/ld-linux-x86-64.so.2\\0', 0, 0)",
    ),
    # threads that are more than threads
    "clones": tries(
        # CLONE_VM | CLONE_VFORK, CLONE_PARENT, CLONE_PTRACE, then namespaces, one by one
        *(f"kernel(56, {flags}, 0, 0, 0, 0)" for flags in (0x4111, 0x8011, 0x2011)),
        *(
            f"kernel(56, 0x10f00 | {space}, 0, 0, 0, 0)"
            for space in (1 << 17, 1 << 25, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30)
        ),
    ),
}  # fmt: skip

FROM_A_THREAD = """
def elsewhere():
{attempts}
thread = threading.Thread(target=elsewhere)
thread.start(); thread.join()
"""
# 34: a filter that holds for one thread only would be none
DENIED_DOORS["from_a_thread"] = FROM_A_THREAD.format(
    attempts=indent(
        tries(
            "open(T['secret']).read()",
            "open(T['open'] + '/planted', 'w')",
            "socket.create_connection(('127.0.0.1', T['port']), 1)",
            "os.kill(T['victim'], 15)",
            "os.fork()",
            "os.memfd_create('x')",
            "kernel(272, 0x10000000)",
        ),
        "    ",
    )
)

# what may be had, and must lead nowhere
HARMLESS_DOORS = {
    "files_without_a_name": """
        held = [os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600) for n in range(20)]
        for fd in held: os.write(fd, b"x")
        """,
    "descriptors_up_to_the_limit": """
        held = []
        try:
            while True: held.append(os.dup(1))
        except OSError as error: print("DENIED", error.errno)
        for fd in held: os.close(fd)
        """,
    "timers_up_to_the_limit": """
        libc, made = ctypes.CDLL(None), 0
        while made < 5000 and not libc.timer_create(1, None, ctypes.byref(ctypes.c_void_p())): made += 1
        if made == 5000: print("DONE", made, "timers")
        """,
    "full_sockets_and_pipes": """
        held = []
        try:
            while True:
                held += [socket.socketpair(), os.pipe()]
                held[-2][0].setblocking(False); os.set_blocking(held[-1][1], False)
                try:
                    while True: held[-2][0].send(b"x" * 65536)
                except BlockingIOError: pass
                try:
                    while True: os.write(held[-1][1], b"x" * 65536)
                except BlockingIOError: pass
        except OSError: pass
        for pair in held:
            if isinstance(pair[0], int): os.close(pair[0]); os.close(pair[1])
        del held
        """,
    "signals_to_itself": """
        for number in (signal.SIGUSR1, signal.SIGIO, signal.SIGCHLD, signal.SIGCONT):
            signal.signal(number, signal.SIG_IGN)
            for n in range(1000): os.kill(os.getpid(), number)
        """,
}

# an ABI that the filter's numbers do not speak
ELSEWHERE = "os.uname().machine == 'x86_64' or os.abort(); "
DEADLY_DOORS = {
    "x32_call": ELSEWHERE + "kernel(0x40000027)",
    "probe_of_nobody": ELSEWHERE + "kernel(335); os.abort()",
}


@pytest.fixture(scope="module")
def aftermath() -> Aftermath:
    attacks = {name: [cell, RIGHT] for name, cell in (DENIED_DOORS | HARMLESS_DOORS).items()}
    attacks |= {name: [cell] for name, cell in DEADLY_DOORS.items()}
    return grade_between_neighbours(attacks)


@pytest.mark.parametrize("attack", DENIED_DOORS)
def test_it_is_denied(aftermath: Aftermath, attack: str) -> None:
    assert aftermath.lines(attack, DONE) == []
    assert aftermath.lines(attack, BROKEN) == []
    assert aftermath.lines(attack, DENIED)


def test_no_attempt_is_missing_from_the_output(aftermath: Aftermath) -> None:
    told = aftermath.lines("calls_up_to_200", DENIED) + aftermath.lines("calls_from_200", DENIED)
    assert len(told) == len(unlisted())


@pytest.mark.parametrize("attack", HARMLESS_DOORS)
def test_it_leads_nowhere(aftermath: Aftermath, attack: str) -> None:
    assert aftermath.lines(attack, DONE) == []
    assert aftermath.scores[attack].cell_errors == ()


@pytest.mark.parametrize("attack", [*DENIED_DOORS, *HARMLESS_DOORS])
def test_the_work_beside_it_gets_what_it_deserves(aftermath: Aftermath, attack: str) -> None:
    assert aftermath.scores[attack].earned == 5.0, aftermath.scores[attack].cell_errors


@pytest.mark.parametrize("attack", DEADLY_DOORS)
def test_a_foreign_call_is_the_end(aftermath: Aftermath, attack: str) -> None:
    score = aftermath.scores[attack]
    assert (score.earned, score.ending.kind) == (0.0, EndingKind.SIGNAL)


def test_neighbours_are_graded_as_if_alone(aftermath: Aftermath) -> None:
    assert aftermath.spoiled() == []


def test_nothing_is_harmed_and_nothing_left(aftermath: Aftermath) -> None:
    assert (aftermath.harm, aftermath.left) == ([], [])
