"""Namespaces: a worker's own processes, network, host name and, above all, file system.

Two kinds: "root" needs CAP_SYS_ADMIN and no user namespace; "user" works for everybody, where the
system lets ordinary users make one.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from grader.jail import linux
from grader.jail.linux import MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REC
from grader.jail.readable import DEVICES, GPU_DATA, GPU_THREADS, Readable, gpu_devices
from grader.wire.worker import WorkerPolicy

SKELETON_OPTIONS = "size=1m,nr_inodes=4000,mode=755"
SCRATCH = "/tmp/work"
READ_ONLY = MS_RDONLY | MS_NOSUID | MS_NODEV

# the bits of statvfs and of mount differ; a user namespace may not drop these
LOCKED_FLAGS = ((8, MS_NOEXEC), (1024, 1024), (2048, 2048), (4096, 1 << 21))


def process_namespace() -> int:
    """The number of this process's process namespace, which no other living one has; 0: unknown."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116 (follows the link)
    except OSError:
        return 0


def separate_processes(kind: str) -> None:
    """Put this process's next child into a process namespace of its own, as its process 1.

    Raises:
        OSError: the system refuses this kind.
    """
    if kind == "root":
        linux.unshare(linux.CLONE_NEWPID)
        return
    user, group = os.geteuid(), os.getegid()
    linux.set_dumpable(True)  # else /proc/self belongs to root
    try:
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWPID)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    finally:
        linux.set_dumpable(False)


def separate_system() -> None:
    """Give this process its own network (with no device in it), IPC, host name and mounts.

    Raises:
        OSError: the system refuses.
    """
    linux.unshare(
        linux.CLONE_NEWNET
        | linux.CLONE_NEWIPC
        | linux.CLONE_NEWUTS
        | linux.CLONE_NEWCGROUP
        | linux.CLONE_NEWNS
    )
    socket.sethostname("worker")


def build_root(tree: Readable, policy: WorkerPolicy, mount_point: str, owner: int) -> str:
    """Replace the root by a private one: `tree` read-only, one scratch file system, no /proc.

    Args:
        tree: what is to be seen.
        policy: the size of the scratch file system.
        mount_point: an empty folder.
        owner: user that the scratch folder belongs to.

    Returns:
        The scratch folder.

    Raises:
        OSError: a mount failed; the process must not go on.
    """
    os.umask(0o022)
    linux.mount("none", "/", None, MS_REC | linux.MS_PRIVATE)
    linux.mount("root", mount_point, "tmpfs", MS_NOSUID | MS_NODEV, SKELETON_OPTIONS)
    _mount_scratch(mount_point, policy, owner)
    for path, name in tree.data:
        _bind(path, f"{mount_point}{SCRATCH}/{name}", READ_ONLY | MS_NOEXEC)
    for path in tree.mounts:
        _bind(path, mount_point + path, READ_ONLY)
    for path in DEVICES:
        _bind(path, mount_point + path, MS_NOSUID | MS_NOEXEC)
    if policy.uses_gpu:
        _mount_for_gpu(mount_point)
    for path, target in tree.links:
        link = Path(mount_point + path)
        if not os.path.lexists(link):
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
    for path in tree.hidden:
        _cover(mount_point + path)
    _enter(mount_point)
    os.chdir(SCRATCH)
    return SCRATCH


def _mount_scratch(root: str, policy: WorkerPolicy, owner: int) -> None:
    # not all of /tmp: folders that lead to mounts may lie in there, and must be read-only
    target = root + SCRATCH
    Path(target).mkdir(parents=True)
    options = f"size={policy.scratch_bytes},nr_inodes={policy.scratch_files},mode=700"
    linux.mount("scratch", target, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
    os.chown(target, owner, -1)


def _bind(source: str, target: str, flags: int) -> None:
    if not Path(source).exists():
        return
    if Path(source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).touch()
    linux.mount(source, target, None, MS_BIND | MS_REC)
    try:
        linux.restrict_mount(target, flags)
    except OSError:  # before Linux 5.12
        keep = os.statvfs(target).f_flag
        locked = sum(flag for bit, flag in LOCKED_FLAGS if keep & bit)
        linux.mount("none", target, None, linux.MS_REMOUNT | MS_BIND | flags | locked)


def _mount_for_gpu(root: str) -> None:
    """Show the driver's devices and data, and a /proc of this process namespace alone."""
    for path in gpu_devices():
        _bind(path, root + path, MS_NOSUID | MS_NOEXEC)
    for path in GPU_DATA:
        if path.startswith("/sys/"):
            _bind(path, root + path, READ_ONLY)
    Path(root, "proc").mkdir()
    linux.mount("proc", f"{root}/proc", "proc", READ_ONLY & ~MS_RDONLY | MS_NOEXEC)
    threads = root + GPU_THREADS
    linux.mount(threads, threads, None, MS_BIND)  # stays writable
    linux.mount("none", f"{root}/proc", None, linux.MS_REMOUNT | MS_BIND | READ_ONLY | MS_NOEXEC)


def _cover(path: str) -> None:
    if Path(path).is_dir():
        linux.mount("hidden", path, "tmpfs", READ_ONLY, "size=4k,mode=555")
    elif Path(path).exists():
        linux.mount(os.devnull, path, None, MS_BIND)


def _enter(root: str) -> None:
    Path(root, ".old").mkdir()
    os.chdir(root)
    linux.pivot_root(".", ".old")
    os.chdir("/")
    linux.detach_mount("/.old")
    Path("/.old").rmdir()
    linux.mount("none", "/", None, linux.MS_REMOUNT | MS_BIND | READ_ONLY)
