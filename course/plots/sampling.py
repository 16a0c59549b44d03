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


@paper.picture
def kept_tokens(
    models: Mapping[str, Sequence[float]],
    kept: Mapping[str, Mapping[str, Sequence[bool]]],
    title: str,
) -> None:
    """Draw what limits leave of distributions over many tokens: a row for each, by probability.

    Args:
        models: for each model its name and a probability for each token.
        kept: for each limit its name and, for each model, whether a token is kept.
        title: stands above them all.
    """
    figure = paper.figure(max(7.0, 3.0 * len(kept)), 2.1 * len(models) + 1.2)
    figure.suptitle(title)
    grid = figure.subplots(len(models), len(kept), squeeze=False, sharex=True, sharey=True)
    told = []
    for row, (name, probabilities) in zip(grid, models.items(), strict=True):
        order = sorted(range(len(probabilities)), key=lambda i: -float(probabilities[i]))
        values = [float(probabilities[i]) for i in order]
        for axes, (limit, by_model) in zip(row, kept.items(), strict=True):
            stays = [bool(by_model[name][i]) for i in order]
            share = sum(value for value, stay in zip(values, stays, strict=True) if stay)
            for stay, colour, label in (
                (True, paper.BLUE, "kept"),
                (False, paper.GREY, "left out"),
            ):
                places = [place for place, kind in enumerate(stays, 1) if kind is stay]
                axes.bar(places, [values[at - 1] for at in places], color=colour, label=label)
            axes.set_title(f"{limit}: {sum(stays)} kept")
            axes.grid(alpha=0.3, axis="y")
            told.append(f"{name}, {limit}: {sum(stays)} of {len(stays)} tokens, {share:.0%}")
        row[0].set(ylabel=f"{name}\nprobability", yscale="log")
    for axes in grid[-1]:
        axes.set_xlabel("token, the most probable first")
    handles, names = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False)
    paper.show(figure, f"{title}. Kept: {'; '.join(told)}.")


def _spelled(tokens: Sequence[str], values: Sequence[float]) -> str:
    return ", ".join(f"{token} {value:.0%}" for token, value in zip(tokens, values, strict=True))
