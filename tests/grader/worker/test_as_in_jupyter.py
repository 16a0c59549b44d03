"""Small notebooks leave in a worker what they leave in Jupyter's own kernel.

Their cells are the texts in `notebooks/`: a notebook begins with `=== its name`, `---` is between
its cells. What must differ is written down in `DIFFERENCES`, with the reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).with_name("notebooks")


def read_notebooks() -> dict[str, list[str]]:
    """The cells of each notebook, by its name."""
    found: dict[str, list[str]] = {}
    for file in sorted(FOLDER.glob("*.txt")):
        for text in ("\n" + file.read_text()).split("\n=== ")[1:]:
            name, _, cells = text.partition("\n")
            assert name not in found, f"two notebooks are called {name!r}"
            found[name] = cells.removesuffix("\n").split("\n---\n")
    return found
