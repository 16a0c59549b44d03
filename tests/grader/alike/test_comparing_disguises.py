"""Whoever takes an answer over and disguises it stands at the top of the list: from every style."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from random import Random
from statistics import median

import pytest
from disguises import DISGUISES, disguised, renamed
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.alike.apart import Readers
from grader.alike.independent import independent_pairs
from grader.alike.index import Weights, likenesses
from grader.alike.material import Material, Materials, independent_styles
from grader.alike.prints import read_prints
from grader.config.course import load_course

ROOT = Path(__file__).parents[3]
COURSE = load_course(ROOT)
STYLES = [
    (one.id, name) for one in COURSE.assignments for name in independent_styles(COURSE, one.id)
]
SEEDS = st.integers(0, 2**32)


@lru_cache(maxsize=1)
def materials() -> dict[str, Material]:
    with Readers() as readers:
        all_ = Materials(COURSE, readers)
        return {one.id: all_.of(one.id) for one in COURSE.assignments}


def ranked(assignment: str, taken_over: str) -> list[tuple[float, str, str]]:
    """All pairs of the styles and of somebody's answer, the most alike first."""
    material = materials()[assignment]
    works = {**material.styles, "taken over": read_prints([taken_over], material.answers).lines}
    weights = Weights(list(works.values()), material.given, material.reference)
    names = list(works)
    weighed = [weights.weigh(one) for one in works.values()]
    return sorted(((v, names[a], names[b]) for v, a, b in likenesses(weighed)), reverse=True)


def text(assignment: str, style: str) -> str:
    return independent_styles(COURSE, assignment)[style][0]


@pytest.mark.parametrize(("assignment", "style"), STYLES)
@settings(max_examples=3, deadline=None)
@given(seed=SEEDS)
def test_all_disguises_at_once(assignment, style, seed):
    taken_over = disguised(
        text(assignment, style), Random(seed), set(materials()[assignment].answers)
    )
    first, second = ranked(assignment, taken_over)[:2]
    assert set(first[1:]) == {style, "taken over"}
    assert first[0] > max(0.4, 2 * second[0])


@pytest.mark.parametrize("way", [*DISGUISES, "renamed"])
@settings(max_examples=8, deadline=None)
@given(which=st.sampled_from(STYLES), seed=SEEDS)
def test_each_disguise_by_itself(way, which, seed):
    assignment, style = which
    source = text(assignment, style)
    if way == "renamed":
        taken_over = renamed(source, Random(seed), set(materials()[assignment].answers))
    else:
        taken_over = DISGUISES[way](source, Random(seed))
    assert taken_over != source
    first, second = ranked(assignment, taken_over)[:2]
    assert set(first[1:]) == {style, "taken over"}
    assert first[0] > 3 * second[0]


def test_comments_and_order_alone_change_nothing():
    for assignment, style in STYLES:
        source = text(assignment, style)
        material = materials()[assignment]
        prints = read_prints([source], material.answers).lines.keys()
        for way in ("commented", "rearranged"):
            other = read_prints([DISGUISES[way](source, Random(0))], material.answers).lines.keys()
            assert len(prints & other) >= 0.97 * len(prints), (style, way)


def independent_table() -> str:
    """How alike independent right answers are, as the guide shows it."""
    rows = ["| assignment | right answers | pairs | median | largest |", "|---|---|---|---|---|"]
    for assignment in COURSE.assignments:
        material = materials()[assignment.id]
        found = independent_pairs(material.styles, Weights([], material.given, material.reference))
        values = [value for value, _, _ in found]
        rows.append(
            f"| {assignment.title} | {len(material.styles)} | {len(found)} "
            f"| {median(values):.0%} | {max(values):.0%} |".replace("%", " %")
        )
    return "\n".join(rows)


def test_the_guide_says_how_alike_independent_answers_are():
    guide = (ROOT / "docs/alike.md").read_text(encoding="utf-8")
    assert independent_table() in guide, f"write it down:\n{independent_table()}"
