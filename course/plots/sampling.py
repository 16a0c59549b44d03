"""Pictures of sampling: which token comes how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from course.plots import paper


@paper.picture
def token_probabilities(
    panels: Mapping[str, Sequence[float]],
    tokens: Sequence[str],
    title: str,
    drawn: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """Draw distributions over tokens as bars, side by side.

    Args:
        panels: for each distribution its name and a probability for each token.
        tokens: their names.
        title: stands above them all.
        drawn: for each distribution how often each token came, as a share: dots on the bars.
    """
    figure = paper.figure(max(7.0, 2.7 * len(panels)), 3.3)
    figure.suptitle(title)
    told = []
    places = range(len(tokens))
    axes_of = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, (name, probabilities) in zip(axes_of, panels.items(), strict=True):
        values = [float(probability) for probability in probabilities]
        axes.bar(places, values, color=paper.BLUE, label="probability")
        told.append(f"{name}: {_spelled(tokens, values)}")
        if drawn is not None:
            shares = [float(share) for share in drawn[name]]
            axes.plot(places, shares, "o", color=paper.ORANGE, label="drawn", markersize=6)
            told[-1] += f", drawn {_spelled(tokens, shares)}"
        axes.set_xticks(places, tokens)
        axes.set(title=name, xlabel="token")
        axes.grid(alpha=0.3, axis="y")
    axes_of[0].set(ylabel="probability", ylim=(0, 1))
    if drawn is not None:
        handles, names = axes_of[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False)
    paper.show(figure, f"{title}. {'; '.join(told)}.")


def _spelled(tokens: Sequence[str], values: Sequence[float]) -> str:
    return ", ".join(f"{token} {value:.0%}" for token, value in zip(tokens, values, strict=True))
