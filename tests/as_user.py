"""Run pytest as an ordinary user, in a mount namespace in which that user can reach Python.

Usage, as root: python tests/as_user.py [--no-user-namespaces] PYTEST_ARGUMENTS
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from grader.jail import linux  # noqa: E402

USER = 12345


def open_the_way_to_python() -> None:
    """Put what hides the interpreter (root's home, often) out of sight, keeping the interpreter."""
    prefix = Path(sys.base_prefix)
    closed = [folder for folder in reversed(prefix.parents) if not folder.stat().st_mode & 0o001]
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    if closed:
        aside = tempfile.mkdtemp()
        linux.mount(str(prefix), aside, None, linux.MS_BIND | linux.MS_REC)
        linux.mount("way", str(closed[0]), "tmpfs", 0, "mode=755")
        prefix.mkdir(parents=True)
        linux.mount(aside, str(prefix), None, linux.MS_BIND | linux.MS_REC)
        linux.detach_mount(aside)
        Path(aside).rmdir()


def become_ordinary() -> None:
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)


def forbid_user_namespaces() -> None:
    """Enter a user namespace that allows no further ones, and give up the privileges in it."""
    linux.set_dumpable(True)
    linux.unshare(linux.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{USER} {USER} 1")
    Path("/proc/self/gid_map").write_text(f"{USER} {USER} 1")
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    linux.drop_capabilities()


def main(arguments: list[str]) -> int:
    open_the_way_to_python()
    with tempfile.TemporaryDirectory(prefix="ordinary-") as home:
        os.chown(home, USER, USER)
        pid = os.fork()
        if pid == 0:
            become_ordinary()
            run_pytest(arguments, home)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run_pytest(arguments: list[str], home: str) -> None:
    if arguments[0] == "--no-user-namespaces":
        forbid_user_namespaces()
        del arguments[0]
    os.chdir(ROOT)
    own = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    os.execve(sys.executable, command, own)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
