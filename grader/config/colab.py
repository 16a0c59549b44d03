"""`[tool.grader.colab]`: where students find a release, so that a notebook opens in Colab."""

from __future__ import annotations

import re

import msgspec

from grader.errors import ConfigError
from grader.model import Value

_ON_GITHUB = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+/blob/[\w./-]+")
_SHOWN = 80


class ColabTable(msgspec.Struct, forbid_unknown_fields=True):
    """What is said of Colab."""

    notebooks: str
    student_zip: str


class Colab(Value, frozen=True):
    """Where a release is published.

    notebooks: the folder of the notebooks on GitHub, which is where Colab opens them from.
    student_zip: the address of `student.zip`.
    """

    notebooks: str
    student_zip: str


def read_colab(table: ColabTable | None) -> Colab | None:
    """Return the addresses; None if the course has none.

    Raises:
        ConfigError: one is no address of its kind.
    """
    if table is None:
        return None
    notebooks = table.notebooks.rstrip("/")
    if not _ON_GITHUB.fullmatch(notebooks):
        raise ConfigError(
            f"[tool.grader.colab] notebooks = {notebooks[:_SHOWN]!r} is no folder on GitHub",
            hint='write it as "https://github.com/OWNER/REPOSITORY/blob/BRANCH/notebooks"',
        )
    shown = table.student_zip[:_SHOWN]
    if not re.fullmatch(r"https?://[^\s\"'\\]+\.zip", table.student_zip):
        raise ConfigError(
            f"[tool.grader.colab] student_zip = {shown!r} is no address of a zip",
            hint='write it as "https://…/student.zip"',
        )
    return Colab(notebooks=notebooks, student_zip=table.student_zip)
