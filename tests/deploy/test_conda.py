"""The conda recipe asks for what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

import grader

ROOT = Path(__file__).parents[2]
CALLED = {"msgpack": "msgpack-python", "tzdata": "python-tzdata"}
"""What conda calls what PyPI calls otherwise."""


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def recipe() -> Any:
    return yaml.safe_load((ROOT / "deploy/conda/recipe.yaml").read_text(encoding="utf-8"))


def as_conda_says(requirement: str) -> str:
    name, version = re.fullmatch(r"([\w-]+)([<>=][^;]*)", requirement).groups()  # type: ignore[union-attr]
    return f"{CALLED.get(name, name)} {version}"


def test_it_needs_what_the_distribution_needs() -> None:
    needed = [
        one for one in recipe()["requirements"]["run"] if not one.startswith(("python ", "__"))
    ]
    assert sorted(needed) == sorted(map(as_conda_says, project()["project"]["dependencies"]))


def test_it_is_built_with_what_builds_the_distribution() -> None:
    host = recipe()["requirements"]["host"]
    assert set(map(as_conda_says, project()["build-system"]["requires"])) < set(host)


def test_name_version_command_python_and_home_are_the_distributions() -> None:
    own, found = project()["project"], recipe()
    assert found["context"]["name"] == own["name"]
    assert found["context"]["version"] == grader.__version__
    assert f">={found['context']['python_min']}" == own["requires-python"]
    assert found["about"]["homepage"] == own["urls"]["Homepage"]
    assert found["about"]["license"] == own["license"]
    (command,) = own["scripts"].items()
    assert found["build"]["python"]["entry_points"] == [" = ".join(command)]
