"""What a worker may read: interpreter, packages, system libraries, fonts, time zones."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEM_LIBRARIES = (
    "/usr/lib",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/usr/local/cuda",
    "/usr/local/nvidia",
)
SYSTEM_DATA = (
    "/etc/alternatives",  # Debian's BLAS is a link that leads through here
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/local/share/fonts",
    "/usr/share/fonts",
    "/usr/share/zoneinfo",
)
STORES = ("/nix/store", "/gnu/store")  # every package links to others in there
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")

# what CUDA's driver library opens: only for workers that are given a GPU
GPU_DEVICES = "nvidia*"
GPU_DATA = (
    "/proc/cpuinfo",
    "/proc/devices",
    "/proc/driver/nvidia",
    "/proc/meminfo",
    "/proc/self",
    "/proc/sys/vm/mmap_min_addr",
    "/sys/devices/system",
    "/sys/module/nvidia",
    "/sys/module/nvidia_uvm",
)
GPU_THREADS = "/proc/self/task"  # the driver gives up when it can't name its threads in here


@dataclass(frozen=True)
class Readable:
    """Readable paths, in the two forms that the layers need.

    mounts: a few coarse paths that the private root binds; `hidden` ones inside them stay empty.
    links: (path, target): other names of what is mounted, as the import path may use them.
    readable: paths for Landlock, so fine that no hidden one lies below any.
    listable: folders whose names may be listed although not all in them may be read.
    data: (path, name): what lies read-only in the scratch folder, and under which name.
    """

    mounts: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...]
    readable: tuple[str, ...]
    listable: tuple[str, ...]
    data: tuple[tuple[str, str], ...] = ()


def find_readable(sites: Sequence[str], public: str, hidden: Sequence[str]) -> Readable:
    """Find out what this interpreter needs to read.

    Args:
        sites: folders in which packages are installed.
        public: the folder of staged public packages.
        hidden: what stays unreadable wherever it lies: the grader's own package.
    """
    roots = [
        str(Path(os.__file__).parent),
        *_library_folders(),
        *sites,
        *_link_targets(sites),
        public,
        *SYSTEM_LIBRARIES,
        *SYSTEM_DATA,
    ]
    roots += [store for store in STORES if sys.executable.startswith(store)]
    present = [path for path in dict.fromkeys(map(os.path.normpath, roots)) if Path(path).exists()]
    out_of_sight = tuple(dict.fromkeys(os.path.realpath(path) for path in hidden))
    readable: list[str] = []
    listable: list[str] = []
    mounts = _outermost(os.path.realpath(path) for path in present)
    for path in mounts:
        _grant(path, out_of_sight, readable, listable)
    links = tuple((path, real) for path in present if (real := os.path.realpath(path)) != path)
    return Readable(mounts, links, out_of_sight, tuple(readable), tuple(listable))


def gpu_devices() -> list[str]:
    """Return the device files of the graphics driver; none where there is no GPU."""
    return sorted(str(path) for path in Path("/dev").glob(GPU_DEVICES))


def _library_folders() -> Iterator[str]:
    """Folders of shared libraries beside the interpreter: conda's, pyenv's, /usr/local's."""
    for prefix in dict.fromkeys((sys.base_prefix, sys.base_exec_prefix)):
        yield str(Path(prefix) / "lib")
    for folder in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep):
        # elsewhere may lie anything, submissions too
        if folder.startswith(("/usr/", "/opt/")):
            yield folder


def _link_targets(sites: Sequence[str]) -> Iterator[str]:
    """Where packages really lie that are installed as symbolic links."""
    for site in sites:
        with os.scandir(site) as entries:
            yield from (os.path.realpath(entry) for entry in entries if entry.is_symlink())


def _outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Leave out what lies below another path."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path.startswith(f"{folder}/") for folder in kept):
            kept.append(path)
    return tuple(kept)


def _grant(path: str, hidden: Sequence[str], readable: list[str], listable: list[str]) -> None:
    if path in hidden:
        return
    if not any(folder.startswith(f"{path}/") for folder in hidden):
        readable.append(path)
        return
    # Landlock's rules reach all the way down: go around what is hidden
    listable.append(path)
    for entry in sorted(Path(path).iterdir()):
        _grant(str(entry), hidden, readable, listable)
