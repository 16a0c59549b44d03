"""A stand-in for torch's compiler, which workers do without.

Every optimizer imports `torch._dynamo` for two functions that do nothing while the compiler is
switched off, what is computed again in a backward pass asks for its settings, and importing it
takes nearly as long as torch itself. The stand-in has the functions and the settings, and makes way
for the real module when somebody asks for anything else, such as `torch.compile`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from grader.testing.torch_internals import COMPILER

SETTINGS = f"{COMPILER}.config"


class IdleCompiler(types.ModuleType):
    """`torch._dynamo` while nobody compiles anything."""

    def __init__(self) -> None:
        super().__init__(COMPILER)
        self.__spec__ = ModuleSpec(COMPILER, None)  # every import statement looks at it

    @staticmethod
    def graph_break(*_: object, **__: object) -> None:
        """Tell the compiler that a graph ends here: there is none."""

    @staticmethod
    def disable(fn: Callable[..., Any] | None = None, *_: object, **__: object) -> Any:
        """Return the function as it is: nothing is compiled anyway. Also used as a decorator."""
        return (lambda function: function) if fn is None else fn

    def __getattr__(self, attribute: str) -> Any:
        """Get anything else from the real module, which takes this one's place.

        The import system asks for `__path__` before it imports a submodule.
        """
        if attribute == "config" and (settings := _settings()) is not None:
            return settings
        return getattr(_wake_up(self), attribute)


def put_off() -> None:
    """Put the stand-in where torch looks for its compiler, unless the real one is there already."""
    if COMPILER not in sys.modules:
        sys.modules[COMPILER] = IdleCompiler()
        sys.modules["torch"].__dict__["_dynamo"] = sys.modules[COMPILER]


def _settings() -> types.ModuleType | None:
    """The compiler's settings without the compiler: a file that needs nothing of it.

    The real module finds them in their place when it is imported. None where the file is another.
    """
    if SETTINGS in sys.modules:
        return sys.modules[SETTINGS]
    file = Path(sys.modules["torch"].__file__ or "").parent / "_dynamo/config.py"
    spec = importlib.util.spec_from_file_location(SETTINGS, file)
    if spec is None or spec.loader is None:
        return None
    settings = sys.modules[SETTINGS] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(settings)
        settings.disable = True  # type: ignore[attr-defined]
    except Exception:
        del sys.modules[SETTINGS]
        return None
    return settings


def _wake_up(idle: IdleCompiler) -> types.ModuleType:
    """Import the real module, switched off, in place of the stand-in."""
    if sys.modules.get(COMPILER) is idle:
        del sys.modules[COMPILER]
        sys.modules["torch"].__dict__.pop("_dynamo", None)  # the import sets it
        importlib.import_module(COMPILER).config.disable = True
        sys.meta_path.insert(0, _Submodules())
    return importlib.import_module(COMPILER)


class _Submodules(MetaPathFinder, Loader):
    """Keeps `import torch._dynamo.config` from importing the submodule a second time.

    The import system has seen that the submodule is missing, and then asks the stand-in for
    `__path__`, which imports the real module with all that it needs.
    """

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Find submodules that are there already."""
        is_there = name.startswith(f"{COMPILER}.") and name in sys.modules
        return ModuleSpec(name, self) if is_there else None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """Return the module as it is."""
        return sys.modules[spec.name]

    def exec_module(self, module: types.ModuleType) -> None:
        """Run nothing again."""
