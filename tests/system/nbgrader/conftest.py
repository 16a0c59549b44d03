"""What the tests of nbgrader have in common."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbgrader_course import NbgraderCourse, fresh_copy, write_nbgrader_course


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> NbgraderCourse:
    return write_nbgrader_course(tmp_path_factory.mktemp("nbgrader"))


@pytest.fixture
def course(untouched: NbgraderCourse, tmp_path: Path) -> NbgraderCourse:
    return fresh_copy(untouched, tmp_path)
