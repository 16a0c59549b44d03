"""Some of a suite's checks: which a person means, and what those require."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from grader.errors import UsageError
from grader.model import Check, Suite, total


def function_of(check: str) -> str:
    """The test function of a check, whose variants it shares with others."""
    return check.partition("[")[0]


def with_required(checks: Sequence[Check], names: Collection[str]) -> tuple[Check, ...]:
    """Return the checks of these ids and all that they require, in their order."""
    wanted, todo = set(names), list(names)
    while todo:
        name = todo.pop()
        for check in checks:
            if check.id == name:
                needed = _required_by(check, checks) - wanted
                wanted |= needed
                todo += needed
    return tuple(check for check in checks if check.id in wanted)


def _required_by(check: Check, checks: Sequence[Check]) -> set[str]:
    return {
        one.id
        for one in checks
        if one.id in check.requires or function_of(one.id) in check.requires
    }


def chosen_checks(suite: Suite, patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the checks that patterns mean, in the suite's order.

    A pattern is a check's id, the name of its test function, which means all of its variants, the
    id of its question, or any of these with `*` and `?`.
    """
    patterns = tuple(patterns)
    return tuple(check.id for check in suite.checks if any(_means(p, check) for p in patterns))


def _means(pattern: str, check: Check) -> bool:
    # as it stands first: an id may hold brackets
    names = (check.id, function_of(check.id), check.question)
    return any(pattern == name or fnmatchcase(name, _without_sets(pattern)) for name in names)


def _without_sets(pattern: str) -> str:
    return pattern.replace("[", "[[]")


def require_meant(suites: Iterable[Suite], patterns: Iterable[str]) -> None:
    """Make sure that every pattern means a check of some suite.

    Raises:
        UsageError: one means none; the hint is the nearest.
    """
    checks = [check for suite in suites for check in suite.checks]
    for pattern in patterns:
        if any(_means(pattern, check) for check in checks):
            continue
        names = sorted({n for c in checks for n in (c.id, function_of(c.id), c.question)})
        near = difflib.get_close_matches(pattern, names, n=1)
        hint = f"did you mean `{near[0]}`?" if near else "`grader checks` lists them"
        raise UsageError(f"no check is called `{pattern}`", hint=hint)


def narrowed(suites: Mapping[str, Suite], patterns: Sequence[str]) -> dict[str, Suite]:
    """Return the suites that have checks which these patterns mean, with those checks alone.

    Their titles say so, wherever they stand. Without patterns all stay as they are.

    Raises:
        UsageError: a pattern means no check.
    """
    if not patterns:
        return dict(suites)
    require_meant(suites.values(), patterns)
    some = ((name, suite, chosen_checks(suite, patterns)) for name, suite in suites.items())
    return {name: _with_checks(suite, checks) for name, suite, checks in some if checks}


def _with_checks(suite: Suite, names: Collection[str]) -> Suite:
    checks = tuple(check for check in suite.checks if check.id in names)
    if len(checks) == len(suite.checks):
        return suite
    questions = tuple(
        msgspec.structs.replace(
            question, points=total(one.points for one in checks if one.question == question.id)
        )
        for question in suite.assignment.questions
        if any(one.question == question.id for one in checks)
    )
    title = f"{suite.assignment.title} ({len(checks)} of {len(suite.checks)} checks)"
    assignment = msgspec.structs.replace(suite.assignment, title=title, questions=questions)
    return msgspec.structs.replace(suite, assignment=assignment, checks=checks)
