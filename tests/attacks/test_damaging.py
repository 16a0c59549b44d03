"""Attempts to damage the machine or the neighbours, to leave something behind, or to take it all.

The numbers are those of the threat model (docs/threat-model.md, "Damaging"). Nothing here goes for
what is not the test's own: packages are opened with "a", signals that everybody would get are 0.
"""

from __future__ import annotations

import pytest
from hostile import BROKEN, DENIED, DONE, ON_LINUX, Aftermath, grade_between_neighbours, tries
from toy import RIGHT

from grader.gradebook import State
from grader.model import EndingKind

pytestmark = ON_LINUX

# calls that no notebook makes, and that grow the kernel's surface; numbers of x86-64
SYSTEM_CALLS = {
    "acct": 163, "add_key": 248, "adjtimex": 159, "bpf": 321, "clock_settime": 227,
    "fanotify_init": 300, "finit_module": 313, "fsopen": 430, "init_module": 175,
    "inotify_init": 253, "io_setup": 206, "io_uring_setup": 425, "iopl": 172, "ioperm": 173,
    "kcmp": 312, "kexec_load": 246, "keyctl": 250, "landlock_create_ruleset": 444, "mbind": 237,
    "memfd_secret": 447, "modify_ldt": 154, "mount": 165, "mount_setattr": 442, "move_mount": 429,
    "name_to_handle_at": 303, "open_tree": 428, "perf_event_open": 298, "personality": 135,
    "pidfd_getfd": 438, "pidfd_open": 434, "pivot_root": 155, "process_madvise": 440,
    "quotactl": 179, "seccomp": 317, "setdomainname": 171, "sethostname": 170, "setns": 308,
    "settimeofday": 164, "swapoff": 168, "swapon": 167, "syslog": 103, "umount2": 166,
    "unshare": 272, "userfaultfd": 323, "uselib": 134, "vmsplice": 278,
}  # fmt: skip

DENIED_ACTS = {
    # 21, 10: files outside, and what will be imported by whoever comes next
    "writes_outside": tries(
        "open(T['secret'], 'a').write('x')",
        "open(T['secret'], 'r+').write('x')",
        "os.open(T['secret'], os.O_WRONLY)",
        "os.open(T['secret'], os.O_RDONLY | os.O_TRUNC)",
        "os.truncate(T['secret'], 0)",
        "open(T['open'] + '/planted', 'w')",
        "os.mkdir(T['open'] + '/planted')",
        "os.mkfifo(T['open'] + '/planted')",
        "os.mknod(T['open'] + '/planted')",
        "os.symlink('/', T['open'] + '/planted')",
        "tempfile.NamedTemporaryFile(dir=T['open'], delete=False)",
        "kernel(85, T['open'].encode() + b'/planted\\0', 0o666)",
    ),
    "removes_and_moves": tries(
        "os.unlink(T['secret'])",
        "os.rename(T['secret'], 'mine')",
        "os.rename(T['secret'], T['open'] + '/planted')",
        "os.link(T['secret'], T['open'] + '/planted')",
        "os.rmdir(T['open'])",
        "os.replace('/dev/null', T['secret'])",
        "shutil.move(T['secret'], 'mine')",
        "shutil.rmtree(T['open'])",
    ),
    "attributes": tries(
        "os.chown(T['secret'], 12345, 12345)",
        "os.setxattr(T['secret'], 'user.x', b'1')",
        "os.removexattr(T['secret'], 'user.x')",
        "os.setxattr('.', 'user.x', b'1')",
    ),
    "packages": tries(
        "open(os.__file__, 'a')",
        "open(json.__file__, 'a')",
        "open(importlib.import_module('msgpack').__file__, 'a')",
        "open(os.path.join(os.path.dirname(os.__file__), 'planted.py'), 'x')",
        "open(os.path.join(os.path.dirname(os.__file__), 'sitecustomize.py'), 'a')",
        "open(sys.executable, 'ab')",
    ),
    "graders_files": tries(
        "open(T['course'] + '/hidden/test_adding.py', 'a').write('x')",
        "open(T['course'] + '/hidden/conftest.py', 'w').write('x')",
        "open(T['class'] + '/honest_000/adding.py', 'a').write('x')",
        "os.makedirs(T['class'] + '/mallory')",
        "open(T['engine'] + '/judge.py', 'a')",
        "open(T['engine'] + '/planted.py', 'x')",
    ),
    # 22: signals to others
    "signals": tries(
        "os.kill(T['victim'], 15)",
        "os.kill(T['victim'], 0)",
        "os.kill(T['grader'], 0)",
        "os.kill(os.getppid() or 1, 0)",
        "os.kill(0, 0)",
        "os.kill(-1, 0)",
        "os.killpg(T['victim'], 15)",
        "kernel(200, T['victim'], 15)",
        "kernel(234, T['victim'], T['victim'], 15)",
        "kernel(129, T['victim'], 15, 0)",
        "signal.pidfd_send_signal(0, 15)",
        "fcntl.fcntl(0, fcntl.F_SETOWN, T['victim'])",
        "fcntl.fcntl(0, 10, 15)",
        "kernel(154, 0, 0, 0)",
    ),
    # network, and sockets that are files or nothing at all
    "network": tries(
        "socket.create_connection(('127.0.0.1', T['port']), 1)",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', T['datagrams']))",
        "socket.socket(socket.AF_UNIX).connect(T['socket'])",
        "socket.socket(socket.AF_UNIX).connect(T['abstract'])",
        "socket.socket(socket.AF_UNIX).bind('\\0' + T['mine'])",
        "socket.socket(socket.AF_UNIX).bind('own-socket')",
        "socket.socket(socket.AF_INET6)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(40, socket.SOCK_STREAM)",
        "socket.socket(38, 5)",
        "socket.create_server(('127.0.0.1', 0))",
        "socket.create_connection(('localhost', T['port']), 1)",
        "socket.socketpair()[0].sendto(b'', T['socket'])",
        "importlib.import_module('urllib.request').urlopen('http://127.0.0.1:%d' % T['port'], timeout=1)",
    ),
    # 23: processes that outlive
    "processes": tries(
        "os.fork()",
        "os.forkpty()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "os.execv(sys.executable, ['python', '-c', ''])",
        "subprocess.run(['true'])",
        "subprocess.Popen('true', shell=True)",
        "os.popen('true').read() if os.path.exists('/bin/sh') else os.fork()",
        "multiprocessing.get_context('fork').Process(target=print).start()",
        "multiprocessing.get_context('spawn').Process(target=print).start()",
        "importlib.import_module('concurrent.futures').ProcessPoolExecutor(2).submit(print).result(5)",
        "kernel(56, 17, 0, 0, 0, 0)",
        "kernel(56, 0x4111, 0, 0, 0, 0)",
        "kernel(57)",
        "kernel(58)",
        "kernel(435, 0, 0)",
        "kernel(322, -100, b'/bin/true\\0', 0, 0, 0)",
        "asyncio.run(asyncio.create_subprocess_exec('true'))",
    ),
    # 33, 34, 35: the kernel's odd corners, and the wall itself
    "kernel_surface": tries(*(f"filtered({number})" for number in SYSTEM_CALLS.values())),
    "privileges": tries(
        "os.setuid(0)",
        "os.setgid(0)",
        "os.setgroups([0])",
        "os.setresuid(0, 0, 0)",
        "os.chroot('.')",
        "os.setsid()",
        "os.setpgid(0, 0)",
        "os.nice(-5)",
        "os.sched_setaffinity(0, {0})",
        "os.setpriority(os.PRIO_PROCESS, T['victim'], 10)",
        "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
        "kernel(272, 0x10000000)",
        "kernel(302, T['victim'], 7, 0, 0)",
        "kernel(302, 0, 7, 4096, 0)",
        "kernel(251, 1, T['victim'], 0)",
        "kernel(157, 22, 1, 0, 0, 0)",
        "kernel(157, 4, 1, 0, 0, 0)",
        "kernel(157, 1, 0, 0, 0, 0)",
    ),
    # 27: traps in the scratch folder, for whoever collects it
    "traps": tries(
        "os.mkfifo('trap')",
        "os.mknod('device', 0o60666, 0x0801)",
        "os.symlink(T['secret'], 'trap')",
        "os.symlink('/', 'trap')",
        "os.link(os.__file__, 'trap')",
    ),
}

# These may do what they do; what counts is that nothing comes of it.
HARMLESS = {
    "chmods_outside": """
        for change in (
            lambda: os.chmod(T["secret"], 0), lambda: os.utime(T["secret"], (1, 1)),
            lambda: os.chmod(T["open"], 0), lambda: os.chmod(T["course"], 0),
            lambda: os.chmod(T["class"] + "/honest_000/adding.py", 0), lambda: os.chmod("/", 0),
        ):
            try: change()
            except OSError: pass
        """,
    "deep_and_odd_files": """
        here = os.getcwd()
        for n in range(300):
            os.mkdir("d" * 100); os.chdir("d" * 100)
        os.chdir(here)
        for name in ("-rf", "\\n", "a\\x1b[2J", "\\u202egnp", " ", "*", "~", "con.txt", ".." * 40):
            open(name, "w").write("x")
        os.mkdir("locked"); open("locked/file", "w"); os.chmod("locked", 0)
        """,
    "closes_its_ends": "for fd in (0, 1, 2): os.close(fd)",
    "renames_its_scratch": """
        for old, new in ((".", "../other"), (os.getcwd(), "/tmp/other")):
            try: os.rename(old, new)
            except OSError: pass
        """,
    "leaves_threads": """
        for n in range(20): threading.Thread(target=time.sleep, args=(900,)).start()
        """,
    "leaves_timers": """
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        """,
    "hides_in_atexit": """
        import atexit
        def stay():
            while True: time.sleep(1)
        atexit.register(stay)
        """,
}

# 7, 29, 31: it dies of what it does, and is told why. Score: nothing.
DEADLY = {
    "segfault": ("ctypes.string_at(0)", EndingKind.SIGNAL),
    "abort": ("os.abort()", EndingKind.SIGNAL),
    "kill_itself": ("os.kill(os.getpid(), signal.SIGKILL)", EndingKind.SIGNAL),
    "terminate_itself": ("os.kill(os.getpid(), signal.SIGTERM)", EndingKind.SIGNAL),
    "exit": ("os._exit(0)", EndingKind.EXITED),
    "close_replies": ("os.close(4)", EndingKind.EXITED),
    "print_into_replies": ("os.dup2(1, 4)", EndingKind.EXITED),
    "garbage_replies": ("os.write(4, bytes(range(255, -1, -1)) * 16)", EndingKind.PROTOCOL),
    "half_a_reply": (
        "os.write(4, bytes([0, 0, 16, 0]) + b'x' * 100)\nos.close(4)",
        EndingKind.EXITED,
    ),
    "never_a_whole_reply": ("os.write(4, bytes([0, 0, 16, 0]))\nwhile True: pass", EndingKind.TIME),
    "recursion": (
        """
        sys.setrecursionlimit(1 << 30)
        class Deep:
            def __getattr__(self, name): return getattr(self, name)
        Deep().x
        """,
        EndingKind.SIGNAL,
    ),
    "foreign_call": (
        """
        page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
        page.write(bytes.fromhex("b814000000cd80c3"))
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        """,
        EndingKind.SIGNAL,
    ),
}


@pytest.fixture(scope="module")
def aftermath() -> Aftermath:
    attacks = {name: [cell, RIGHT] for name, cell in (DENIED_ACTS | HARMLESS).items()}
    attacks |= {name: [cell] for name, (cell, _) in DEADLY.items()}
    return grade_between_neighbours(attacks)


@pytest.mark.parametrize("attack", DENIED_ACTS)
def test_it_is_denied(aftermath: Aftermath, attack: str) -> None:
    assert aftermath.lines(attack, DONE) == []
    assert aftermath.lines(attack, BROKEN) == []
    assert aftermath.lines(attack, DENIED)


@pytest.mark.parametrize("attack", [*DENIED_ACTS, *HARMLESS])
def test_the_work_beside_it_gets_what_it_deserves(aftermath: Aftermath, attack: str) -> None:
    assert aftermath.scores[attack].earned == 5.0, aftermath.scores[attack].cell_errors


@pytest.mark.parametrize("attack", DEADLY)
def test_what_kills_itself_earns_nothing_and_is_told_why(aftermath: Aftermath, attack: str) -> None:
    score = aftermath.scores[attack]
    assert (score.state, score.earned) == (State.GRADED, 0.0)
    assert score.ending.kind is DEADLY[attack][1], score.ending
    assert score.ending.message


def test_neighbours_are_graded_as_if_alone(aftermath: Aftermath) -> None:
    assert aftermath.spoiled() == []


def test_nothing_is_harmed_and_nothing_left(aftermath: Aftermath) -> None:
    assert (aftermath.harm, aftermath.left) == ([], [])
