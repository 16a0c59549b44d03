"""The page of settings lists each key that the code reads, with its default."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from grader.config.colab import ColabTable
from grader.config.course import _AssignmentTable, _CourseTable
from grader.config.limits_table import LimitsTable
from grader.config.manual import ManualTable, RubricTable
from grader.config.policy import Policy
from grader.config.policy_table import LateTable, PolicyTable
from grader.model import Limits

PAGE = Path(__file__).parents[2] / "docs/configuration.md"
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| ", re.M)

TABLES: dict[str, tuple[type[msgspec.Struct], dict[str, object]]] = {
    "The course": (_CourseTable, {}),
    "An assignment": (_AssignmentTable, {}),
    "A manual question": (ManualTable, {}),
    "A rubric item": (RubricTable, {}),
    "Colab": (ColabTable, {}),
    "Limits": (LimitsTable, {**msgspec.structs.asdict(Limits()), "memory": "4 GiB"}),
    "Rules": (PolicyTable, msgspec.structs.asdict(Policy())),
    "Coming late": (LateTable, {}),
}


def default(field: msgspec.inspect.Field, known: object) -> str:
    """How the page writes what holds where nobody says anything."""
    if field.required:
        return "required"
    value = field.default if known is None else known
    if value is msgspec.NODEFAULT:
        value = field.default_factory()
    if value is None or isinstance(value, msgspec.Struct):
        return "none"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{json.dumps(value)}`"


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_is_there_with_its_default(heading: str) -> None:
    struct, known = TABLES[heading]
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    wanted = {one.name: default(one, known.get(one.name)) for one in info.fields}
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    assert dict(ROW.findall(section)) == wanted


def test_the_memory_limit_is_that_of_the_code() -> None:
    assert Limits().memory_bytes == 4 << 30
