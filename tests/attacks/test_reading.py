"""Attempts to read what a submission must not see: suites, the reference, neighbours, the machine.

The numbers are those of the threat model (docs/threat-model.md, "Reading").
"""

from __future__ import annotations

import re

import msgspec
import pytest
from hostile import BROKEN, DENIED, DONE, ON_LINUX, Aftermath, grade_between_neighbours, tries
from toy import RIGHT

pytestmark = ON_LINUX

# Every expression must fail with OSError or ImportError; the work that follows deserves its points.
DENIED_READS = {
    # 13, 15: the memory of others, and what the system tells about them
    "own_memory_file": tries(
        "open('/proc/self/mem', 'rb').read(1)",
        "open('/proc/self/maps').read()",
        "open('/proc/thread-self/maps').read()",
    ),
    "others_memory_file": tries(
        "open(f\"/proc/{T['victim']}/mem\", 'rb').read(1)",
        "open(f\"/proc/{T['grader']}/maps\").read()",
        "open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
        "os.listdir('/proc')",
    ),
    "ptrace": tries(
        "kernel(101, 16, T['victim'], 0, 0)",
        "kernel(101, 0x4206, T['victim'], 0, 0)",
        "kernel(101, 0, 0, 0, 0)",
    ),
    "process_vm": tries(
        "kernel(310, T['victim'], 0, 0, 0, 0, 0)",
        "kernel(310, os.getpid(), 0, 0, 0, 0, 0)",
        "kernel(311, T['grader'], 0, 0, 0, 0, 0)",
        "kernel(312, os.getpid(), T['grader'], 2, 0, 0)",
    ),
    "others_descriptors": tries(
        "os.listdir(f\"/proc/{T['grader']}/fd\")",
        "kernel(434, T['grader'], 0)",
        "kernel(438, 0, 0, 0)",
        "os.pidfd_open(T['grader'])",
    ),
    # 14: the environment that processes began with
    "environment_files": tries(
        "open('/proc/self/environ').read()",
        "open(f\"/proc/{T['grader']}/environ\").read()",
        "open(f\"/proc/{T['victim']}/environ\").read()",
        "open('/proc/self/cmdline').read()",
    ),
    # 16: suites, the reference, the grader, the neighbours
    "hidden_suite": tries(
        "open(T['course'] + '/hidden/test_adding.py').read()",
        "os.listdir(T['course'])",
        "importlib.machinery.SourceFileLoader('x', T['course'] + '/hidden/test_adding.py').load_module()",
        "os.scandir(T['course'] + '/hidden')",
    ),
    "reference": tries(
        "importlib.import_module('sums')",
        "sys.path.append(T['course'] + '/reference') or importlib.import_module('sums')",
        "open(T['course'] + '/reference/sums/__init__.py').read()",
        "importlib.import_module('solutions.tiny_transformer')",
    ),
    "engine": tries(
        "importlib.import_module('grader.judging.judge')",
        "importlib.import_module('grader.store.results')",
        "open(T['engine'] + '/judging/judge.py').read()",
        "sys.path.append(os.path.dirname(T['engine'])) or importlib.import_module('grader.judging.judge')",
    ),
    "neighbours": tries(
        "open(T['class'] + '/honest_000/adding.py').read()",
        "os.listdir(T['class'])",
        "zipfile.ZipFile('all.zip', 'w').write(T['class'] + '/honest_000/adding.py')",
        "shutil.copytree(T['class'], 'copied')",
    ),
    "secret_by_every_door": tries(
        "open(T['secret']).read()",
        "os.open(T['secret'], os.O_RDONLY)",
        "io.FileIO(T['secret']).readall()",
        "mmap.mmap(os.open(T['secret'], os.O_RDONLY), 0, prot=mmap.PROT_READ)[:]",
        "os.open(os.path.basename(T['secret']), 0, dir_fd=os.open(T['folder'], os.O_PATH))",
        "open('../' * 30 + T['secret']).read()",
        "open('/proc/self/root' + T['secret']).read()",
        "open('/proc/self/cwd/../../..' + T['secret']).read()",
        "os.link(T['secret'], 'mine') or open('mine').read()",
        "os.symlink(T['secret'], 'mine') or open('mine').read()",
        "shutil.copy(T['secret'], 'mine')",
        "kernel(2, T['secret'].encode() + b'\\0', 0, 0)",
        "kernel(257, -100, T['secret'].encode() + b'\\0', 0, 0)",
        "kernel(437, -100, T['secret'].encode() + b'\\0', 0, 0)",
        "kernel(304, -100, T['secret'].encode() + b'\\0', 0)",
        "kernel(303, -100, T['secret'].encode() + b'\\0', 0, 0, 0)",
        "ctypes.CDLL(T['secret'])",
        "os.sendfile(1, os.open(T['secret'], 0), 0, 99)",
    ),
    "system_files": tries(
        "open('/etc/passwd').read()",
        "open('/etc/shadow').read()",
        "open('/etc/hostname').read()",
        "open('/root/.bashrc').read()",
        "open('/var/log/syslog').read()",
        "open('/sys/class/dmi/id/product_name').read()",
        "open('/dev/mem', 'rb').read(1)",
        "open('/dev/kmsg', 'rb').read(1)",
        "os.listdir(os.path.expanduser('~root'))",
    ),
    # 20: what others may have left, wherever they could
    "kernel_keys": tries(
        "kernel(250, 0, -3, 0, 0, 0)",
        "kernel(248, b'user\\0', b'mine\\0', b'x', 1, -3)",
        "kernel(249, b'user\\0', b'mine\\0', 0, -4)",
    ),
    "system_v": tries(
        "kernel(29, T['key'], 4096, 0o1666)",
        "kernel(64, T['key'], 1, 0o1666)",
        "kernel(68, T['key'], 0o1666)",
        "kernel(240, b'mine\\0', 0o102, 0o666, 0)",
    ),
    "shared_memory": tries(
        "open('/dev/shm/' + T['mine'], 'a').write('x')",
        "os.listdir('/dev/shm')",
        "importlib.import_module('multiprocessing.shared_memory').SharedMemory(T['mine'], True, 64)",
        "os.memfd_create('mine')",
        "mmap.mmap(-1, 4096)",
    ),
}

# These print what they find; none of it may be the secret.
SEARCHES = {
    "shell_magics": """
        for run in (
            lambda: get_ipython().system(f"cat '{T['secret']}'"),
            lambda: get_ipython().getoutput(f"cat '{T['secret']}'"),
            lambda: get_ipython().run_line_magic("run", T["course"] + "/hidden/test_adding.py"),
            lambda: get_ipython().run_cell_magic("bash", "", f"cat '{T['secret']}'"),
        ):
            try: print(run())
            except Exception as error: print(type(error).__name__, error)
        """,
    # 13, 14: everything that is already in the process
    "heap": """
        found = [o for o in gc.get_objects() if isinstance(o, (dict, list, tuple))]
        for thing in found:
            for item in list(thing.values() if isinstance(thing, dict) else thing):
                if isinstance(item, (str, bytes)) and len(item) < 5000:
                    print(repr(item)[:60]) if "TOKEN" in repr(item) else None
        """,
    "environment": """
        print(dict(os.environ))
        environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
        for n in range(200):
            if not environ[n]: break
            print(environ[n])
        """,
    # the stack of the first process, where its arguments and environment were
    "own_stack": """
        address = ctypes.addressof(ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ").contents)
        block = ctypes.string_at(address, 2048)
        print(bytes(b for b in block if 32 <= b < 127))
        """,
    "modules": """
        for name, module in sorted(sys.modules.items()):
            if not name.startswith(("grader", "sums", "test_", "conftest", "solutions", "course")): continue
            print(name, sorted(vars(module))[:50])
            try: print(inspect.getsource(module)[:5000])
            except (OSError, TypeError): pass
        """,
    "frames": """
        frame = sys._getframe()
        while frame is not None:
            print(frame.f_code.co_filename, {k: repr(v)[:200] for k, v in frame.f_locals.items()})
            frame = frame.f_back
        """,
    # 17: descriptors that were forgotten
    "descriptors": """
        loop = __import__("asyncio").get_running_loop()
        of_its_own_loop = {loop._ssock.fileno(), loop._csock.fileno()}
        for fd in set(range(3, 1024)) - of_its_own_loop:
            try: kind = os.fstat(fd).st_mode
            except OSError: continue
            print("open:", fd, stat.filemode(kind))
            if stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISSOCK(kind):
                print("DONE", "inherited", fd)
        """,
    "import_path": """
        import pkgutil
        for folder in sys.path:
            for name in ("sums", "hidden", "public", "test_adding.py", "solutions"):
                if os.path.exists(os.path.join(folder, name)): print("DONE", folder, name)
        print([m.name for m in pkgutil.iter_modules() if m.name in ("sums", "solutions", "test_adding")])
        """,
    # 20: marks left for others, and looked for
    "marks_a": "MARKS",
    "marks_b": "MARKS",
}
MARKS = """
for place in (".", "/tmp", "/var/tmp", "/dev/shm", T["open"], os.path.dirname(os.__file__)):
    mark = os.path.join(place, "mark-" + T["mine"])
    if os.path.exists(mark): print("DONE", "found", mark)
    try: open(mark, "x").close()
    except OSError: pass
try: socket.socket(socket.AF_UNIX).bind("\\0" + T["mine"])
except OSError: pass
with open(os.__file__) as shared:
    try: fcntl.flock(shared, fcntl.LOCK_EX | fcntl.LOCK_NB); time.sleep(0.2)
    except BlockingIOError: print("DONE", "somebody holds the lock")
    except OSError: pass
"""

# 18: what a submission is called with leaves by every way it has
LEAKS = {
    "leaks_by_print": """
        def add(a, b):
            print("LEAK", repr(a), repr(b), flush=True)
            os.write(1, b"LEAK" + repr(a).encode()); os.write(2, b"LEAK")
            return 0
        """,
    "leaks_by_message": "def add(a, b): raise ValueError(f'LEAK {a!r} {b!r}')",
    "leaks_by_class_name": """
        def add(a, b): raise type(f"LEAK{a!r}", (Exception,), {})("LEAK")
        """,
    "leaks_by_value": "def add(a, b): return f'LEAK {a!r} {b!r}'",
    "leaks_by_file": """
        def add(a, b):
            for place in (".", "/tmp", T["open"], T["class"]):
                try: open(place + "/LEAK", "a").write(f"{a!r}")
                except OSError: pass
            return 0
        """,
    "leaks_by_syntax_error": """
        def add(a, b): exec(f"LEAK {a!r} (((")
        """,
}


@pytest.fixture(scope="module")
def aftermath() -> Aftermath:
    attacks = {name: [cell, RIGHT] for name, cell in DENIED_READS.items()}
    attacks |= {
        name: [MARKS if cell == "MARKS" else cell, RIGHT] for name, cell in SEARCHES.items()
    }
    attacks |= {name: [cell] for name, cell in LEAKS.items()}
    return grade_between_neighbours(attacks)


@pytest.mark.parametrize("attack", DENIED_READS)
def test_it_is_denied(aftermath: Aftermath, attack: str) -> None:
    assert aftermath.lines(attack, DONE) == []
    assert aftermath.lines(attack, BROKEN) == []
    assert aftermath.lines(attack, DENIED)


@pytest.mark.parametrize("attack", SEARCHES)
def test_there_is_nothing_to_find(aftermath: Aftermath, attack: str) -> None:
    assert aftermath.lines(attack, DONE) == []
    assert aftermath.scores[attack].cell_errors == ()


@pytest.mark.parametrize("attack", [*DENIED_READS, *SEARCHES])
def test_the_work_beside_it_gets_what_it_deserves(aftermath: Aftermath, attack: str) -> None:
    assert aftermath.scores[attack].earned == 5.0


@pytest.mark.parametrize("attack", [*DENIED_READS, *SEARCHES, *LEAKS])
def test_no_secret_is_in_what_is_reported(aftermath: Aftermath, attack: str) -> None:
    assert aftermath.token not in msgspec.json.encode(aftermath.scores[attack]).decode()


@pytest.mark.parametrize("attack", LEAKS)
def test_hidden_inputs_are_not_told_to_students(aftermath: Aftermath, attack: str) -> None:
    score = aftermath.scores[attack]
    hidden = [o.message for o in score.outcomes if o.check != "test_small_sum"]
    assert not [message for message in hidden if "LEAK" in message]
    # the public check's numbers, 1 and 2, are everybody's
    assert not re.search(r"\d\.\d{6}", score.output)
    assert "LEAK" not in score.output


def test_neighbours_are_graded_as_if_alone(aftermath: Aftermath) -> None:
    assert aftermath.spoiled() == []


def test_nothing_is_harmed_and_nothing_left(aftermath: Aftermath) -> None:
    assert (aftermath.harm, aftermath.left) == ([], [])
