"""An environment for each peer, made once below `build/bench/` and used again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CACHE = ROOT / "build" / "bench"
TORCH = "torch==2.13.0"
PEERS = {"nbgrader": "nbgrader==0.9.6", "otter": "otter-grader==7.0.0"}
BESIDE = ("ipykernel", "matplotlib", "numpy", "pytest", "msgspec")
"""What a notebook of the course, its checks and their translation need."""


class NotInstalled(Exception):
    """A peer's environment can't be made; the message says why."""


def environment(peer: str) -> Path:
    """Return the `bin` folder of a peer's environment, after making it if there is none.

    Raises:
        NotInstalled: pip failed.
    """
    folder = CACHE / peer
    ready = folder / "-".join(["ready", PEERS[peer], *BESIDE])
    if not ready.exists():
        print(f"Installing {PEERS[peer]} into {folder}: minutes, once", file=sys.stderr)
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        # torch comes alone and first: only it may need another index than the rest
        index = os.environ.get("TORCH_INDEX")  # as in the Makefile
        _pip(folder, TORCH, *(("--extra-index-url", index) if index else ()))
        _pip(folder, TORCH, PEERS[peer], *BESIDE)
        ready.touch()
    return folder / "bin"


def _pip(folder: Path, *packages: str) -> None:
    python, constraints = folder / "bin" / "python", ROOT / "constraints.txt"
    _run(str(python), "-m", "pip", "install", "--quiet", "-c", str(constraints), *packages)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise NotInstalled(reason[-1] if reason else f"{command[0]} failed: {done.returncode}")
