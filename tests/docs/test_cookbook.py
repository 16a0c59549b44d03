"""The cookbook: its recipes make a course that passes the gate."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from commands import grader
from cookbook import PAGE, Recipe, recipes, write_cookbook
from guides import ROOT

RECIPES = list(recipes())


@pytest.mark.slow
def test_every_recipe_passes_the_gate_and_proves_each_of_its_checks(tmp_path: Path) -> None:
    done = grader("verify", "--json", cwd=write_cookbook(tmp_path / "cookbook"))
    assert done.returncode == 0, done.stderr
    gates = json.loads(done.stdout)["gates"]
    assert [gate["assignment"] for gate in gates] == [recipe.id for recipe in RECIPES]
    assert {gate["assignment"]: gate["unproven"] for gate in gates if gate["unproven"]} == {}
    kinds = [{case["kind"] for case in gate["cases"]} for gate in gates]
    assert all({"reference", "template", "mutant"} <= kind for kind in kinds)


def test_every_section_with_cells_is_a_recipe_of_the_table() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    links = re.findall(r"\]\(#([\w-]+)\)", text.partition("\n## ")[0])
    assert sorted(link.replace("-", "_") for link in links) == sorted(r.id for r in RECIPES)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_a_recipe_is_short_and_says_what_not_to_do(recipe: Recipe) -> None:
    assert recipe.lesson.count("\n") <= 75
    assert "**Not** " in recipe.section
