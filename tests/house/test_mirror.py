"""A test lies where what it tests lies, so that nobody has to search for either."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests/grader"


@pytest.mark.parametrize(
    "path", [str(p.relative_to(TESTS)) for p in sorted(TESTS.rglob("test_*.py"))]
)
def test_a_test_of_the_grader_is_called_after_its_module(path: str) -> None:
    """`test_page.py`, or `test_page_in_browser.py`; what concerns several is in `tests/system/`."""
    folder = (ROOT / "grader" / path).parent
    words = Path(path).stem.removeprefix("test_").split("_")
    names = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
    modules = [folder / ("__init__.py" if name == "init" else f"{name}.py") for name in names]
    assert any(module.is_file() for module in modules), (
        f"no such module in {folder.relative_to(ROOT)}"
    )
