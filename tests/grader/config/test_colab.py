"""Addresses for Colab: read, or refused in a sentence that shows what one looks like."""

from __future__ import annotations

import pytest

from grader.config.colab import Colab, ColabTable, read_colab
from grader.errors import ConfigError

NOTEBOOKS = "https://github.com/ada/texts/blob/main/notebooks"
ZIP = "https://example.org/2026/student.zip"


def test_addresses_are_read() -> None:
    assert read_colab(None) is None
    assert read_colab(ColabTable(NOTEBOOKS + "/", ZIP)) == Colab(
        notebooks=NOTEBOOKS, student_zip=ZIP
    )


@pytest.mark.parametrize(
    "notebooks",
    ["", "notebooks", "https://gitlab.com/ada/texts/blob/main/n", "https://github.com/ada/texts", f"{NOTEBOOKS})[x](y", f"{NOTEBOOKS}\n"],
)  # fmt: skip
def test_what_colab_can_not_open_is_refused(notebooks: str) -> None:
    with pytest.raises(ConfigError, match="is no folder on GitHub") as caught:
        read_colab(ColabTable(notebooks, ZIP))
    assert "/blob/" in caught.value.hint


@pytest.mark.parametrize("zip_", ["", "student.zip", "ftp://x/student.zip", "https://x/student", 'https://x/"; import os #.zip', "https://x/\\.zip"])  # fmt: skip
def test_what_is_no_zip_is_refused(zip_: str) -> None:
    with pytest.raises(ConfigError, match="is no address of a zip"):
        read_colab(ColabTable(NOTEBOOKS, zip_))
