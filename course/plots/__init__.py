"""The pictures that the lessons draw.

Each function draws one picture, shows it under the cell and says in words what is in it: the words
are its caption, its alternative text, and what a terminal prints. Pictures follow
the page, light or dark; their colours are safe for colour-blind readers.
"""

from __future__ import annotations

from course.plots.attention import (
    activations,
    attention_weights,
    influence,
    score_growth,
)
from course.plots.curves import curves
from course.plots.demos import demo, rows, steps
from course.plots.diagrams import architecture, block, pipeline, two_jobs
from course.plots.memory import memory_bars, saved_tensors
from course.plots.paper import Picture
from course.plots.parameters import gradient_by_token, parameter_pies, parameter_shares
from course.plots.positions import position_similarity, position_table, scale_comparison
from course.plots.sampling import kept_tokens, token_probabilities
from course.plots.states import hidden_states

__all__ = [
    "Picture",
    "activations",
    "architecture",
    "attention_weights",
    "block",
    "curves",
    "demo",
    "gradient_by_token",
    "hidden_states",
    "influence",
    "kept_tokens",
    "memory_bars",
    "parameter_pies",
    "parameter_shares",
    "pipeline",
    "position_similarity",
    "position_table",
    "rows",
    "saved_tensors",
    "scale_comparison",
    "score_growth",
    "steps",
    "token_probabilities",
    "two_jobs",
]
