"""Where the course's own answers run: beside their data, as a notebook does."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.jail.scratch import make_scratch


@contextmanager
def beside_data(places: Iterable[str]) -> Iterator[None]:
    """Work in a new folder in which files and folders lie under their own names.

    What is written there is gone at the end.

    Args:
        places: the course's own files and folders; of those with one name, the first lies there.

    Raises:
        OSError: there is no room for it.
    """
    named: dict[str, str] = {}
    for place in places:
        named.setdefault(Path(place).name, place)
    before = Path.cwd()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chdir(make_scratch(folder, None, [(place, name) for name, place in named.items()]))
        try:
            yield
        finally:
            os.chdir(before)
