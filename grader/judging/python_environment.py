"""What workers see of the environment, and where packages are installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def environment_of_workers(state: Path) -> dict[str, str]:
    """All that a zygote, and so a worker, ever sees of the environment."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "USER": "student",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TORCHDYNAMO_DISABLE": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(state / "inductor"),  # else in /tmp
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(_font_cache(state)),
        "GRADER_GRADING": "1",
        "PYTHONHASHSEED": "0",  # a set of strings has the same order in every run
    }
    # without the first, an interpreter or torch outside the default folders can't find its
    # libraries; the others say which GPUs are ours
    for name in ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return environment


def _font_cache(state: Path) -> Path:
    """Where matplotlib keeps its list of fonts, for good if possible: making it takes seconds."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(home, "grader", "matplotlib")
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # a read-only home, or a user without one
        folder = state / "fonts"
        folder.mkdir()
    return folder


def site_folders() -> list[str]:
    """Where packages are installed: never the project itself, which an editable install adds."""
    folders = (path for path in sys.path if Path(path).name in ("site-packages", "dist-packages"))
    return [str(Path(folder).absolute()) for folder in folders if Path(folder).is_dir()]
