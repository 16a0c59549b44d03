"""Pictures of hidden states: what the vectors look like from layer to layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from course.plots import paper

if TYPE_CHECKING:
    from torch import Tensor


@paper.picture
def hidden_states(states: Sequence[Tensor], title: str = "Hidden states") -> None:
    """Draw mean, standard deviation and vector length of each hidden state (B, T, d_model).

    Raises:
        ValueError: there are none, or one is something else.
    """
    if not states:
        raise ValueError("there are no hidden states to draw")
    rows = []
    for number, state in enumerate(states):
        shape = tuple(getattr(state, "shape", ()))
        if len(shape) != 3 or 0 in shape:
            raise ValueError(f"hidden state {number}: expected (B, T, d_model), got shape {shape}")
        state = state.detach().cpu().double()
        length = state.norm(dim=-1).mean()
        rows.append((state.mean().item(), state.std(correction=0).item(), length.item()))
    names = ["emb", *(f"{number}" for number in range(1, len(states)))]
    figure = paper.figure(10.5, 3.3)
    figure.suptitle(title)
    quantities = (
        ("mean of the elements", paper.ORANGE, "-s"),
        ("standard deviation", paper.GREEN, "-^"),
        ("mean length of a vector", paper.BLUE, "-o"),
    )
    told = []
    for column, (axes, (quantity, colour, style)) in enumerate(
        zip(figure.subplots(1, 3), quantities, strict=True)
    ):
        values = [row[column] for row in rows]
        axes.plot(range(len(values)), values, style, color=colour)
        axes.set_xticks(range(len(values)), names)
        axes.set(xlabel="after block", ylabel=quantity)
        axes.set_ylim(*_limits(values))
        axes.grid(alpha=0.3)
        told.append(f"{quantity} {values[0]:.2f} to {values[-1]:.2f}")
    paper.show(
        figure, f"{title}, from the embedding to the output of the last block: {'; '.join(told)}."
    )


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """From 0, so that small changes look small; at least from -0.1 to 0.1."""
    low, high = min(0.0, *values), max(0.0, *values)
    return min(1.1 * low, -0.1 if low < 0 else 0.0), max(1.1 * high, 0.1)
