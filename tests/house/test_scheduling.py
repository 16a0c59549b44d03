"""What is said of files of tests is true."""

from __future__ import annotations

from pathlib import Path

import pytest
from scheduling import FIRST, pytest_collection_modifyitems


@pytest.mark.parametrize("name", FIRST)
def test_a_file_that_comes_first_is_there(name: str) -> None:
    assert (Path(__file__).parents[1] / name).is_file()


def test_a_mark_that_does_not_stand_in_its_file_is_an_error(request: pytest.FixtureRequest) -> None:
    node = request.node
    node.add_marker("s" + "low")
    with pytest.raises(pytest.UsageError, match=r"test_scheduling\.py has tests that are s"):
        pytest_collection_modifyitems([node])
