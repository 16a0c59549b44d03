"""Modules that exist only where a notebook was written: in Colab, Kaggle, JupyterLite, Databricks.

What is imported of them is there and does nothing, so that the cell around it runs. They stand
behind everything that is really installed.
"""

from __future__ import annotations

import sys
import types
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

ELSEWHERE = frozenset(
    {
        "google.colab", "kaggle_secrets", "kaggle_web_client", "condacolab",
        "piplite", "micropip", "pyodide", "pyodide_js", "pyodide_kernel", "js",
        "dbutils", "deepnote_toolkit", "otter", "jupyterquiz", "nb_black",
    }
)  # fmt: skip
"""Packages of places; those that compute something are not among them."""


def install() -> None:
    """Find such modules after all others, unless that is done already."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())


class _Nothing:
    """Whatever is asked of it, it does nothing: it can be called, entered, and asked for parts."""

    def __init__(self, name: str) -> None:
        self.__name = name

    def __call__(self, *_: object, **__: object) -> None:
        print(f"{self.__name}() does nothing in a grading")

    def __getattr__(self, name: str) -> _Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(f"{self.__name}.{name}")

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


class _Finder(MetaPathFinder, Loader):
    """Finds these modules, their submodules, and the packages around them where there are none."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Return a specification for a module that exists elsewhere; None for all others."""
        around = any(place.startswith(f"{name}.") for place in ELSEWHERE)
        within = any(name == place or name.startswith(f"{place}.") for place in ELSEWHERE)
        return ModuleSpec(name, self, is_package=True) if around or within else None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """Return an empty module."""
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run nothing."""
