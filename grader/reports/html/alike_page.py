"""`index.html` of a comparison: pairs, clusters, and what the numbers can't tell."""

from __future__ import annotations

from grader.alike.values import Alike, AssignmentAlike
from grader.reports.alike_words import NO_VERDICT, by_chance, called, pages, percent
from grader.reports.html.page import address, render
from grader.text import one_line


def alike_page(alike: Alike, title: str) -> str:
    """Return the page."""
    return render(
        "alike.html",
        script="alike.js",
        style="alike.css",
        title=title,
        no_verdict=NO_VERDICT,
        sections=[_section(one) for one in alike.assignments],
        problems=[
            ": ".join(one_line(part) for part in (one.where, one.message) if part)
            for one in alike.problems
            if one.kind.keeps_from_grading
        ],
    )


def _section(found: AssignmentAlike) -> dict[str, object]:
    rows = []
    for pair, page in zip(found.pairs, pages(found), strict=True):
        best = pair.answers[0] if pair.answers else None
        rows.append(
            {
                "address": address("pairs", page),
                "likeness": percent(pair.likeness),
                "left": called(found.works[pair.left]),
                "right": called(found.works[pair.right]),
                "left_share": percent(pair.left_share),
                "right_share": percent(pair.right_share),
                "best": f"{best.answer} {percent(best.likeness)}" if best else "–",
                "shared": pair.shared,
                "same_person": pair.same_person,
            }
        )
    return {
        "id": found.assignment,
        "title": found.title,
        "works": len(found.works),
        "answers": ", ".join(f"`{one}`" for one in found.answers),
        "by_chance": by_chance(found.independent),
        "rows": rows,
        "linked_from": percent(found.linked_from),
        "clusters": [[called(found.works[one]) for one in cluster] for cluster in found.clusters],
        "notes": [(called(one), note) for one in found.works for note in one.notes],
    }
