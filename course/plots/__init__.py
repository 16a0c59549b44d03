"""The pictures that the lessons draw.

Each function draws one picture, shows it under the cell and says in words what is in it: the words
are its caption, its alternative text, and what a terminal prints. Pictures stand on white, so that
they read the same in a light and in a dark notebook; colours are safe for colour-blind readers.
"""

from __future__ import annotations

from course.plots.demos import demo, steps
from course.plots.diagrams import pipeline
from course.plots.paper import Picture
from course.plots.positions import position_similarity, position_table, scale_comparison

__all__ = [
    "Picture",
    "demo",
    "pipeline",
    "position_similarity",
    "position_table",
    "scale_comparison",
    "steps",
]
