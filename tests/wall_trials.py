"""What a worker tries in the tests of the wall: what must be denied, and what must not."""

from __future__ import annotations

# each must raise OSError; `t` are the targets outside
DENIED = {
    "read a file": "open(t['secret']).read()",
    "read a file through a descriptor of its folder": (
        "os.open('secret', os.O_RDONLY, dir_fd=os.open(t['folder'], os.O_PATH))"
    ),
    "read a file by climbing": "open('../' * 20 + t['secret']).read()",
    "list a folder": "os.listdir(t['folder'])",
    "read the grader's own code": "open(t['engine'] + '/cli.py').read()",
    "read the password file": "open('/etc/passwd').read()",
    "read another process": "open(f\"/proc/{t['victim']}/mem\", 'rb').read(1)",
    "read its own environment": "open('/proc/self/environ').read()",
    "read the kernel's log": "open('/dev/kmsg').read(1)",
    "write a file": "open(t['secret'], 'a')",
    "write into a folder": "open(t['folder'] + '/planted', 'w')",
    "truncate a file by name": "os.truncate(t['secret'], 0)",
    "truncate a file while reading": "os.open(t['secret'], os.O_RDONLY | os.O_TRUNC)",
    "write beside its scratch": "open('../beside', 'w')",
    "write into a temporary folder of the system": "open('/tmp/beside', 'w')",
    "write into a folder that leads to what it may read": "open(beside_a_public_package(), 'w')",
    "write into the root": "os.mkdir('/beside')",
    "overwrite the standard library": "open(os.__file__, 'a')",
    "overwrite a package": "open(a_package(), 'a')",
    "remove a file": "os.unlink(t['secret'])",
    "rename a file": "os.rename(t['secret'], 'mine')",
    "link a file": "os.link(t['secret'], 'mine')",
    "link to a file": "os.symlink(t['secret'], 'mine')",
    "change an owner": "os.chown(t['secret'], 12345, 12345)",
    "make a FIFO": "os.mkfifo('fifo')",
    "make a device": "os.mknod('device', 0o60666, 0)",
    "set an attribute": "os.setxattr('.', 'user.x', b'1')",
    "connect to a port": "socket.create_connection(('127.0.0.1', t['port']), 1)",
    "connect to a socket": "socket.socket(socket.AF_UNIX).connect(t['socket'])",
    "connect to an abstract socket": "socket.socket(socket.AF_UNIX).connect(t['abstract'])",
    "send a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))",
    "make a datagram pair": "socket.socketpair(type=socket.SOCK_DGRAM)",
    "send to a path": "socket.socketpair()[0].sendto(b'', t['socket'])",
    "kill a process": "os.kill(t['victim'], 15)",
    "kill its supervisor": "os.kill(os.getppid() or 1, 9)",
    "kill its group": "os.kill(0, 0)",
    "kill everybody": "os.kill(-1, 0)",
    "signal a thread": "signal.pidfd_send_signal(0, 15)",
    "have signals sent": "fcntl.fcntl(0, fcntl.F_SETOWN, t['victim'])",
    "fork": "os.fork()",
    "run a program": "subprocess.run(['/bin/true'])",
    "execute": "os.execv('/bin/true', ['true'])",
    "start a process": "multiprocessing.get_context('fork').Process(target=print).start()",
    "make shared memory": "mmap.mmap(-1, 4096)",
    "make a memory file": "os.memfd_create('x')",
    "lower its niceness": "os.nice(-5)",
    "leave its processor": "os.sched_setaffinity(0, {0})",
    "become root": "os.setuid(0)",
    "make a session": "os.setsid()",
    "change the root": "os.chroot('.')",
    "ptrace": "kernel(101, 16, t['victim'], 0, 0)",
    "read another's memory": "kernel(310, t['victim'], 0, 0, 0, 0, 0)",
    "make a namespace": "kernel(272, 0x10000000)",
    "mount": "kernel(165, 0, 0, 0, 0, 0)",
    "use a key ring": "kernel(250, 0, -3, 0, 0, 0)",
    "make an io_uring": "kernel(425, 8, 0)",
    "load a BPF program": "kernel(321, 5, 0, 0)",
    "watch performance": "kernel(298, 0, 0, -1, -1, 0)",
    "catch page faults": "kernel(323, 0)",
    "make a message queue": "kernel(68, 0, 0o1000)",
    "make System V memory": "kernel(29, 0, 4096, 0o1000)",
    "open by handle": "kernel(304, -100, 0, 0)",
    "fork by clone3": "kernel(435, 0, 0)",
    "vfork": "kernel(58)",
    "make a process by clone": "kernel(56, 17, 0, 0, 0, 0)",
    "make a namespace by clone": "kernel(56, 0x10010f00, 0, 0, 0, 0)",
    "set a limit of itself": "kernel(302, 0, 7, 4096, 0)",
}


# what CUDA needs: shared memory, and the /proc of the worker itself
OPEN_WITH_GPU = {"make shared memory", "read its own environment"}


# each must work: honest notebooks do it
ALLOWED = {
    "write a file": "open('own', 'w').write('x')",
    "copy a file with its mode and times": "shutil.copy2(__import__('json').__file__, 'copy.py')",
    "make a temporary file": "tempfile.NamedTemporaryFile().write(b'x')",
    "make a temporary folder": "tempfile.mkdtemp()",
    "make and remove folders": "(os.makedirs('a/b'), shutil.rmtree('a'))",
    "rename its file": "(open('p', 'w'), os.rename('p', 'q'))",
    "start a thread": "(t := threading.Thread(target=len, args=('',)), t.start(), t.join())",
    "use a pool of threads": "list(concurrent.futures.ThreadPoolExecutor(2).map(len, ['a', 'b']))",
    "run asyncio": "asyncio.run(asyncio.sleep(0))",
    "import the standard library": "importlib.import_module('colorsys')",
    "import an extension": "importlib.import_module('_sqlite3')",
    "import a package": "importlib.import_module('msgpack')",
    "import a public package": "importlib.import_module('handout').ANSWER == 42 or 1 / 0",
    "list installed packages": "os.listdir(os.path.dirname(os.path.dirname(msgpack.__file__)))",
    "know a time zone": "zoneinfo.ZoneInfo('Europe/Berlin')",
    "read random bytes": "open('/dev/urandom', 'rb').read(4) + os.urandom(4)",
    "discard output": "open('/dev/null', 'w').write('x')",
    "know itself": "(os.getpid(), os.cpu_count(), os.uname(), os.getcwd(), platform.platform())",
    "signal itself": "(signal.signal(10, signal.SIG_IGN), os.kill(os.getpid(), 10))",
    "set an alarm": "signal.setitimer(signal.ITIMER_REAL, 0)",
    "map a file": "(f := open('own', 'r+b'), mmap.mmap(f.fileno(), 0))",
    "lock a file": "(f := open('own'), fcntl.flock(f, 2), fcntl.lockf(f, fcntl.LOCK_SH))",
    "make a database": "sqlite3.connect('data').execute('create table a (b)')",
    "read its limits": "resource.getrlimit(resource.RLIMIT_NOFILE)",
}


TRY = """
import asyncio, concurrent.futures, ctypes, fcntl, importlib, json, mmap, msgpack, multiprocessing
import os, platform, resource, shutil, signal, socket, sqlite3, subprocess, tempfile, threading
import zoneinfo

def kernel(number, *arguments):
    if os.uname().machine != "x86_64":
        raise PermissionError("not tried here")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *map(ctypes.c_long, arguments)) < 0:
        raise OSError(ctypes.get_errno(), "")

def a_package():
    return msgpack.__file__

def beside_a_public_package():
    return os.path.join(os.path.dirname(importlib.import_module("handout").__path__[0]), "..", "x")

t = json.loads({targets!r})
outcomes = {{}}
for name, attempt in json.loads({attempts!r}).items():
    try:
        eval(attempt)
    except OSError:
        outcomes[name] = "denied"
    except BaseException as error:
        outcomes[name] = repr(error)
    else:
        outcomes[name] = "done"
print(json.dumps(outcomes))
"""
