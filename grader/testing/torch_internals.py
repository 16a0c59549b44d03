"""The one place that touches parts of torch which torch may move: each has a public way beside it.

Nothing is imported here: torch belongs to whoever has it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

COMPILER = "torch._dynamo"
"""The module that optimizers import although nobody compiles."""

FIRST_USES = (
    "torch.fx.experimental.symbolic_shapes",
    "torch.nested._internal.nested_tensor",
    "torch.profiler._cupti_monitor",
)
"""What torch imports when it is first given a gradient, and when an optimizer first takes a step.

To import them early saves time; without one of them it is imported when it is needed.
"""


def grad_switch(torch: ModuleType) -> Callable[[bool], object]:
    """What turns gradients on and off.

    The public one is a class that keeps the former mode; this is the function below it, which has
    no Python code that a submission could change.
    """
    return _internal(torch, "_set_grad_enabled") or torch.set_grad_enabled


def determinism_switch(torch: ModuleType) -> Callable[[bool], object]:
    """What turns deterministic algorithms on and off.

    The public one imports the compiler first, which takes a second and more.
    """
    return _internal(torch, "_set_deterministic_algorithms") or torch.use_deterministic_algorithms


def _internal(torch: ModuleType, name: str) -> Callable[[bool], object] | None:
    found = getattr(getattr(torch, "_C", None), name, None)
    return found if callable(found) else None
