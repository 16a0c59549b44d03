"""What the zygote does once so that no worker has to: imports, and first uses that are slow.

Only what the preload list has brought in is warmed: a course without torch starts in milliseconds.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import sys
from collections.abc import Callable, Sequence

from grader.testing.torch_internals import FIRST_USES
from grader.worker import compiler


class PreloadError(Exception):
    """A module of the preload list can't be imported."""


def preload(modules: Sequence[str]) -> None:
    """Import modules, and use once what came in with them.

    Raises:
        PreloadError: one of them can't be imported.
    """
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise PreloadError(
                f"can't import `{name}`, which `preload` of [tool.grader] names: {error}"
            ) from error
    for package in [package for package in FIRST_STEPS if package in sys.modules]:
        FIRST_STEPS.pop(package)()


def require(modules: Sequence[str]) -> None:
    """Find modules without importing them.

    Raises:
        PreloadError: the package of one of them is not installed.
    """
    for name in modules:
        if importlib.util.find_spec(name.partition(".")[0]) is None:
            raise PreloadError(f"can't find `{name}`, which `preload_later` of [tool.grader] names")


def _warm_numpy() -> None:
    importlib.import_module("numpy.random")  # NumPy waits until somebody asks for it


def _warm_torch() -> None:
    import torch

    # a parallel region before the fork would hang every child that enters one
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    compiler.put_off()
    # Imported, never done: where there is a GPU, a backward pass starts a thread for it and an
    # optimizer's step opens its driver, and neither works again in a fork.
    for name in FIRST_USES:
        with contextlib.suppress(ImportError):  # torch's own rooms, which move
            importlib.import_module(name)
    layer = torch.nn.Linear(2, 2)
    layer(torch.ones(1, 2)).softmax(-1)
    for optimizer in (torch.optim.AdamW, torch.optim.SGD):
        optimizer(layer.parameters(), lr=0.1)


def _warm_matplotlib() -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    # finds the fonts, which takes seconds the first time on a machine
    figure, axes = plt.subplots()
    axes.set_title("warm")
    figure.savefig(io.BytesIO())
    plt.close(figure)


FIRST_STEPS: dict[str, Callable[[], None]] = {
    "numpy": _warm_numpy,
    "torch": _warm_torch,
    "matplotlib": _warm_matplotlib,
}
"""What is yet to be done, once, when a package has been imported."""
