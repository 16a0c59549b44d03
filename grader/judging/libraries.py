"""Libraries that are not installed where it is graded: what to install, and whose it is to do so.

A course needs what its own files import. Where such a library is missing, no submission is to blame
that imports it, too: it stays ungraded until whoever runs the grader has installed it. Other names
that can't be imported, a file that was not handed in or a typing error, stay their author's.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from grader.errors import GraderFault
from grader.model import CellError

DISTRIBUTION = "walled-grader"
INSTALLED_AS = {
    "torch": f"'{DISTRIBUTION}[torch]'",
    "numpy": "numpy",
    "matplotlib": f"'{DISTRIBUTION}[plots]'",
    "marimo": f"'{DISTRIBUTION}[marimo]'",
    "nbgrader": f"'{DISTRIBUTION}[nbgrader]'",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "scipy": "scipy",
    "sympy": "sympy",
    "seaborn": "seaborn",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "yaml": "pyyaml",
}
"""What pip calls a library, by what Python calls it: a name that is guessed may be a stranger's."""

_MISSING = re.compile(r"No module named '([A-Za-z_]\w*)|can't find `([A-Za-z_]\w*)")
_KINDS = frozenset({".py", ".ipynb", ".md", ".txt"})
_MAX_BYTES = 4 << 20


def how_to_install(said: str) -> str:
    """What to install after such an error, or nothing if it is about something else.

    Args:
        said: what was said, `No module named 'torch'` somewhere in it.
    """
    name = _missing(said)
    if name is None:
        return ""
    if name in INSTALLED_AS:
        return f"{sys.executable} -m pip install {INSTALLED_AS[name]}"
    return f"install what `{name}` is part of into the environment of {sys.executable}"


def missing_from_course(
    errors: Iterable[CellError], material: Iterable[Path]
) -> GraderFault | None:
    """The first library that a notebook could not import though the course itself uses it.

    What the errors say is a stranger's claim: only what is really missing here counts.

    Args:
        errors: what stopped the notebook's cells.
        material: files and folders of the course.
    """
    for error in errors:
        name = _missing(error.message) if error.error == "ModuleNotFoundError" else None
        if name is None or _is_installed(name):
            continue
        file = _first_use(name, material)
        if file is not None:
            return GraderFault(
                f"the course uses `{name}`, which is not installed here"
                f" ({how_to_install(error.message)})",
                where=str(file),
            )
    return None


def _missing(said: str) -> str | None:
    match = _MISSING.search(said)
    return (match[1] or match[2]) if match else None


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # found, and broken in a way of its own
        return True


def _first_use(name: str, material: Iterable[Path]) -> Path | None:
    """The first file that imports it, or requires it as `requirements.txt` does."""
    imports = re.compile(
        rf"\bimport\s+([\w.]+( as \w+)?,\s*)*{name}\b|\bfrom\s+{name}(\.\w+)*\s+import\b"
    )
    called = INSTALLED_AS.get(name, name)
    requires = re.compile(rf"^({name}|{re.escape(called)})(?![\w-])", re.M | re.I)
    for path in _files(material):
        text = path.read_text(encoding="utf-8", errors="replace")
        if (requires if path.suffix == ".txt" else imports).search(text):
            return path
    return None


def _files(material: Iterable[Path]) -> Iterable[Path]:
    for place in material:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.suffix in _KINDS and path.is_file() and path.stat().st_size <= _MAX_BYTES:
                yield path
