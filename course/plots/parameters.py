"""Pictures of parameters: where they sit, what is shared, what their gradients are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from course.plots import paper

if TYPE_CHECKING:
    from torch import Tensor

PARTS = {
    "embedding": paper.BLUE,
    "transformer_blocks": paper.GREEN,
    "ln_f": paper.GREY,
    "lm_head": paper.ORANGE,
}
"""Colours of a model's parts, by their names in a breakdown."""


@paper.picture
def parameter_shares(breakdowns: Mapping[str, Mapping[str, int]], title: str) -> None:
    """Draw breakdowns as bars of 100 %, one below the other."""
    figure = paper.figure(8.5, 1.2 + 0.42 * len(breakdowns))
    axes = figure.subplots()
    told = []
    seen = {part: PARTS[part] for part in PARTS if any(b[part] for b in breakdowns.values())}
    for row, (name, breakdown) in enumerate(breakdowns.items()):
        total, left = sum(breakdown[part] for part in PARTS), 0.0
        for part, colour in seen.items():
            share = 100 * breakdown[part] / total
            axes.barh(row, share, left=left, color=colour, label=part if row == 0 else None)
            if share >= 7:
                axes.text(
                    left + share / 2,
                    row,
                    f"{share:.0f} %",
                    ha="center",
                    va="center",
                    color=paper.on(colour),
                )
            left += share
        axes.text(101, row, f"{total / 1e6:.2f} M", va="center", color=paper.INK)
        percent = {part: round(100 * breakdown[part] / total) for part in seen}
        shares = ", ".join(f"{part} {share} %" for part, share in percent.items() if share)
        told.append(f"{name}, {total / 1e6:.2f} million: {shares}")
    axes.set_yticks(range(len(breakdowns)), list(breakdowns))
    axes.invert_yaxis()
    axes.set(xlabel="share of all parameters in %", xlim=(0, 113), xticks=range(0, 101, 20))
    axes.set_title(title)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.legend(loc="outside lower center", ncols=len(seen), frameon=False)
    paper.show(figure, f"{title}. {'; '.join(told)}.")


@paper.picture
def parameter_pies(breakdowns: Mapping[str, Mapping[str, int]]) -> None:
    """Draw breakdowns as pies, whose areas are in proportion to the totals."""
    figure = paper.figure(4.2 * len(breakdowns), 3.9)
    totals = {name: sum(b[part] for part in PARTS) for name, b in breakdowns.items()}
    largest = max(totals.values())
    told = []
    drawn = figure.subplots(1, len(breakdowns), squeeze=False)[0]
    for axes, (name, breakdown) in zip(drawn, breakdowns.items(), strict=True):
        seen = {part: breakdown[part] for part in PARTS if breakdown[part] >= totals[name] / 100}
        axes.pie(
            list(seen.values()),
            colors=[PARTS[part] for part in seen],
            labels=[part.replace("transformer_", "transformer\n") for part in seen],
            autopct="%.0f %%",
            startangle=90,
            radius=(totals[name] / largest) ** 0.5,
            textprops={"color": paper.INK},
        )
        percents = [text for text in axes.texts if text.get_text().endswith("%")]
        for text, part in zip(percents, seen, strict=True):
            text.set_color(paper.on(PARTS[part]))
        axes.set_title(f"{name}: {totals[name]:,} parameters")
        shares = ", ".join(f"{part} {100 * n / totals[name]:.0f} %" for part, n in seen.items())
        told.append(f"{name}: {totals[name]:,} parameters, {shares}")
    paper.show(figure, f"{'. '.join(told)}. What is below 1 % is left out.")


@paper.picture
def gradient_by_token(gradients: Mapping[str, Tensor], seen: int) -> None:
    """Draw how long the gradient of each token's row is, for gradients (V, d_model).

    Args:
        gradients: by name.
        seen: tokens below this id are in the input, the others are not.
    """
    figure = paper.figure(10, 3.4)
    told = []
    drawn = figure.subplots(1, len(gradients), squeeze=False, sharey=True)[0]
    for axes, (name, gradient) in zip(drawn, gradients.items(), strict=True):
        lengths = abs(paper.matrix(gradient, f"{name}: a gradient (V, d_model)")) ** 2
        lengths = lengths.sum(axis=1) ** 0.5
        ids = range(len(lengths))
        axes.bar(ids[:seen], lengths[:seen], color=paper.BLUE, label="in the input")
        axes.bar(ids[seen:], lengths[seen:], color=paper.ORANGE, label="not in the input")
        axes.set(xlabel="token id")
        axes.set_title(name)
        told.append(
            f"{name}: {lengths[:seen].mean():.2g} for tokens in the input, "
            f"{lengths[seen:].mean():.2g} for the others"
        )
    drawn[0].set_ylabel("length of the row's gradient")
    figure.legend(
        *drawn[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False
    )
    paper.show(figure, f"Mean length of a row's gradient. {'; '.join(told)}.")
