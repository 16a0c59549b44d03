"""Stand-ins for modules that exist only where a notebook was written (`grader/wire/places.py`).

What is imported of them is there and does nothing, so that the cell around it runs. They stand
behind everything that is really installed, and only the notebook's own code finds them: a library
that looks for Colab must not believe that it is there.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Generator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

from grader.wire.places import PLACES, place_of

_IMPORTING = ("<frozen importlib", "/importlib/__init__.py", "/importlib/util.py")
"""Files of what carries out an import: who asked for it stands behind them."""


def install() -> Elsewhere:
    """Find such modules after all others, from now on."""
    finder = Elsewhere(tuple(folder for folder in sys.path if folder))
    sys.meta_path.append(finder)
    return finder


class Elsewhere(MetaPathFinder, Loader):
    """Finds these modules, their submodules, and the packages around them where there are none.

    Args:
        installed: folders whose code does not find them.

    Attributes:
        imported: the entries of `PLACES` that were imported.
    """

    def __init__(self, installed: tuple[str, ...]) -> None:
        self._installed = installed
        self.imported: set[str] = set()

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Return a specification for a module that exists elsewhere; None for all others."""
        around = any(place.startswith(f"{name}.") for place in PLACES)
        if not (around or place_of(name)) or self._is_asked_by_a_library():
            return None
        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """Return an empty module."""
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run nothing; note that it was asked for."""
        place = place_of(module.__name__)
        if place is not None:
            self.imported.add(place)

    def _is_asked_by_a_library(self) -> bool:
        frame = sys._getframe(2)
        while frame.f_back and _carries_out_an_import(frame.f_code.co_filename):
            frame = frame.f_back
        return frame.f_code.co_filename.startswith(self._installed)


def _carries_out_an_import(file: str) -> bool:
    return file.startswith(_IMPORTING[0]) or file.endswith(_IMPORTING[1:])


class _Nothing(str):
    """An empty text that does nothing, whatever is asked of it.

    It can be called, awaited, entered and asked for parts. As a text it does for a key or a path,
    as an empty one for a list of files or for no answer.
    """

    __slots__ = ("_called",)
    _called: str

    def __new__(cls, called: str) -> _Nothing:
        nothing = super().__new__(cls)
        nothing._called = called
        return nothing

    def __call__(self, *_: object, **__: object) -> _Nothing:
        print(f"{self._called}() does nothing in a grading")
        return _Nothing(f"{self._called}()")

    def __getattr__(self, name: str) -> _Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(f"{self._called}.{name}")

    def __setattr__(self, name: str, value: object) -> None:
        if name == "_called":
            super().__setattr__(name, value)

    def __await__(self) -> Generator[None, None, _Nothing]:
        yield from ()  # waits for nothing
        return self

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        """Let exceptions pass."""


class _Module(types.ModuleType):
    """A module of such a place. Its attributes do nothing."""

    def __getattr__(self, name: str) -> _Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(f"{self.__name__}.{name}")
