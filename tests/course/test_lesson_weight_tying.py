"""Lesson 04 writes its answer itself: a model that ties, built on one that does not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from grader.authoring.answers import reference_source
from grader.authoring.lessons import lesson_paths, read_lesson
from grader.authoring.release import solution_sources
from grader.config.course import load_course
from solutions.tiny_transformer import get_model_config

ROOT = Path(__file__).parents[2]


def methods(source: str) -> dict[str, str]:
    """The methods of a class as normalised text, without markers and comments."""
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.ClassDef)
    return {
        part.name: ast.unparse(part)
        for part in definition.body
        if isinstance(part, ast.FunctionDef)
    }


@pytest.mark.parametrize("name", ["count_parameters", "get_parameter_breakdown"])
def test_counting_is_the_reference_s(name: str) -> None:
    course = load_course(ROOT)
    lesson = read_lesson(lesson_paths(course)["weight_tying"])
    own = methods(solution_sources(course, lesson)["TinyTransformerLM"])
    assert own[name] == methods(reference_source(course, "TinyTransformerLM"))[name]


@pytest.mark.parametrize("assignment", ["weight_tying", "memory_estimation"])
def test_the_four_sizes_are_the_reference_s(assignment: str) -> None:
    lesson = read_lesson(lesson_paths(load_course(ROOT))[assignment])
    (presets,) = (
        ast.literal_eval(node.value)
        for cell in lesson.cells
        if cell.kind == "code"
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PRESETS"
    )
    for size, config in presets.items():
        assert {**config, "dropout": 0.1} == get_model_config(size)
