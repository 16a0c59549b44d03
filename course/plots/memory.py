"""Pictures of memory: what takes how many MiB."""

from __future__ import annotations

from collections.abc import Mapping

from course.plots import paper

COLOURS = (paper.BLUE, paper.ORANGE, paper.GREEN, paper.GREY)


@paper.picture
def memory_bars(rows: Mapping[str, Mapping[str, float]], title: str) -> None:
    """Draw sizes in MiB as stacked bars: a bar for each row, a colour for each kind of content."""
    figure = paper.figure(8.5, 1.4 + 0.42 * len(rows))
    axes = figure.subplots()
    kinds = list(dict.fromkeys(kind for row in rows.values() for kind in row))
    longest = max(sum(row.values()) for row in rows.values())
    told = []
    for place, (name, row) in enumerate(rows.items()):
        left = 0.0
        for kind, size in row.items():
            axes.barh(place, size, left=left, color=COLOURS[kinds.index(kind) % len(COLOURS)])
            left += size
        axes.text(left + longest / 80, place, paper.plain(left), va="center", color=paper.INK)
        contents = ", ".join(f"{kind} {paper.plain(size)}" for kind, size in row.items())
        told.append(f"{name}: {paper.plain(left)} ({contents})")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.set(xlabel="MiB", xlim=(0, 1.12 * longest))
    axes.set_title(title)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    from matplotlib.patches import Patch

    keys = [Patch(color=colour, label=kind) for kind, colour in zip(kinds, COLOURS, strict=False)]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(kinds), frameon=False)
    paper.show(figure, f"{title}, in MiB. {'; '.join(told)}.")


@paper.picture
def saved_tensors(sizes: Mapping[str, float], title: str) -> None:
    """Draw what autograd saves as bars, in the order in which it is saved.

    Args:
        sizes: MiB by name; what is in it more than once has names of its own.
        title: of which model, at which shape.
    """
    figure = paper.figure(8.5, 1.0 + 0.3 * len(sizes))
    axes = figure.subplots()
    axes.barh(range(len(sizes)), list(sizes.values()), color=paper.BLUE)
    for place, size in enumerate(sizes.values()):
        axes.text(size, place, f" {size:.3g}", va="center", color=paper.INK)
    axes.set_yticks(range(len(sizes)), list(sizes))
    axes.invert_yaxis()
    axes.set(xlabel="MiB", xlim=(0, 1.12 * max(sizes.values())))
    axes.set_title(title)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    told = ", ".join(f"{name} {size:.3g}" for name, size in sizes.items())
    paper.show(figure, f"{title}, in MiB, from first to last: {told}.")
