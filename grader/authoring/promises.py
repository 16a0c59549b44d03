"""Promises: each sentence that pins a behaviour, the checks that demand it, mutants that break it.

`promises.toml`, in the folder beside the lesson that is called like it:

    [[promise]]
    in = "TokenEmbedding"
    sentence = "the table itself stays unscaled"
    checks = ["scale.test_table_stays_small"]
    mutants = ["scale_in_table"]

    [[promise]]
    sentence = "A word is known by the company it keeps."
    free = "it asks for nothing"

`in` names the definitions in whose docstrings a sentence stands; without it, it stands in the
lesson's own text. A mutant is a written one, or a generated one by its id. Every sentence of the
docstrings that students get has an entry, or several, each with a part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from grader.authoring.lessons import Lesson
from grader.authoring.sentences import (
    docstring_sentences,
    docstrings,
    normalised,
    uncovered,
)
from grader.authoring.tables import Entry, Finding, read_table, table_path
from grader.model import Suite, Value


class Promise(Value, frozen=True, forbid_unknown_fields=True):
    """An entry of the table."""

    sentence: str
    places: str | tuple[str, ...] = msgspec.field(name="in", default=())
    checks: tuple[str, ...] = ()
    mutants: tuple[str, ...] = ()
    free: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The definitions in whose docstrings it stands."""
        return (self.places,) if isinstance(self.places, str) else self.places


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    promise: tuple[Promise, ...] = ()


class PromiseReport(Value, frozen=True):
    """What became of an assignment's promises."""

    checked: int
    free: int
    findings: tuple[Finding, ...]


def promises_path(lesson: Lesson) -> Path:
    """Where a lesson's promises stand."""
    return table_path(lesson, "promises")


def load_promises(lesson: Lesson) -> tuple[Promise, ...] | None:
    """Read the promises of an assignment; None without a table.

    Raises:
        SuiteError: the table is malformed.
    """
    table = read_table(promises_path(lesson), _Table)
    return None if table is None else table.promise


def missing_entries(promises: Sequence[Promise], sources: Mapping[str, str]) -> list[Entry]:
    """An empty entry for each sentence of the docstrings that has none yet, or not all of it.

    Args:
        promises: those that there are.
        sources: the answers' texts by name.
    """
    made: list[Entry] = []
    for sentence in docstring_sentences(sources.values()):
        quotes = [one.sentence for one in promises if sentence.place in one.names]
        if left := uncovered(sentence.text, quotes):
            text = left if left in normalised(sentence.text) else sentence.text
            made.append({"in": sentence.place, "sentence": text, "checks": [], "mutants": []})
    return made


def judge_promises(
    lesson: Lesson,
    sources: Mapping[str, str],
    suite: Suite,
    killers: Mapping[str, Collection[str]],
) -> PromiseReport:
    """Hold an assignment's promises against its text, its checks and its mutants.

    Args:
        lesson: the text.
        sources: the answers' texts by name.
        suite: the checks.
        killers: for each mutant the checks that it fails; those left out because another one failed
            are not among them.

    Raises:
        SuiteError: the table is malformed.
    """
    promises = load_promises(lesson)
    if promises is None:
        return PromiseReport(checked=0, free=0, findings=(_no_table(lesson),))
    where = str(promises_path(lesson))
    findings = [
        Finding(
            f"`{entry['in']}` says “{entry['sentence']}”, and no entry does",
            where,
            f"add an entry: `grader verify {lesson.assignment} --write-tables` adds it empty",
        )
        for entry in missing_entries(promises, sources)
    ]
    texts = {name: text for one in sources.values() for name, text in docstrings(one).items()}
    for promise in promises:
        findings += _misquoted(promise, lesson, texts)
        findings += _unchecked(promise, where, suite, killers)
    free = sum(bool(one.free) for one in promises)
    return PromiseReport(len(promises) - free, free, tuple(findings))


def _no_table(lesson: Lesson) -> Finding:
    return Finding(
        "no table of promises",
        str(promises_path(lesson)),
        f"`grader verify {lesson.assignment} --write-tables` writes one to fill in",
    )


def _misquoted(promise: Promise, lesson: Lesson, texts: Mapping[str, str]) -> Iterator[Finding]:
    where, sentence = str(promises_path(lesson)), normalised(promise.sentence)
    if not promise.names:
        if not sentence or not any(sentence in text for text in _prose(lesson)):
            yield Finding(
                f"“{sentence}” does not stand in the lesson",
                where,
                'quote it as it stands; for a docstring, say whose: in = "NAME"',
            )
        return
    for name in promise.names:
        if name not in texts:
            hint = f"definitions with one: {', '.join(texts)}"
            yield Finding(f"`in` names no docstring: `{name}`", where, hint)
        elif not sentence or sentence not in normalised(texts[name]):
            yield Finding(
                f"“{sentence}” does not stand in the docstring of `{name}`",
                where,
                "quote it as it stands; drop the entry if the promise is no longer made",
            )


def _prose(lesson: Lesson) -> Iterator[str]:
    """What a lesson says: its prose, and its cells of code with their comments."""
    for cell in lesson.cells:
        yield normalised(cell.source)


def _unchecked(
    promise: Promise, where: str, suite: Suite, killers: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    """What is missing between a promise, its checks and its mutants."""
    place = f" (in {', '.join(promise.names)})" if promise.names else ""
    quoted = f"“{normalised(promise.sentence)}”{place}"
    if promise.free:
        if promise.checks or promise.mutants:
            yield Finding(f"{quoted} is free, and has checks", where, "drop one or the other")
        return
    demanding = {check for name in promise.checks for check in checks_called(name, suite)}
    tried = {name: set(killers[name]) for name in promise.mutants if name in killers}
    yield from _unknown(promise, where, suite, killers)
    missing = ["no check demands"] * (not promise.checks) + ["no mutant breaks"] * (
        not promise.mutants
    )
    if missing:
        hint = 'name some, write them, or say why nobody checks it: free = "…"'
        yield Finding(f"{', '.join(missing)} {quoted}", where, hint)
    if demanding and tried:
        yield from _not_killed(quoted, where, demanding, tried)


def _unknown(
    promise: Promise, where: str, suite: Suite, killers: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    for name in promise.checks:
        if not checks_called(name, suite):
            yield Finding(f"no check is called `{name}`", where, _nearest_check(name, suite))
    for name in promise.mutants:
        if name not in killers:
            hint = "the stem of a file in the mutants' folder, or a generated mutant's id"
            yield Finding(f"no mutant is called `{name}`", where, hint)


def _not_killed(
    quoted: str, where: str, demanding: set[str], tried: Mapping[str, set[str]]
) -> Iterator[Finding]:
    """Mutants that the promise's checks do not kill; and whether they alone kill one."""
    for name, failed in tried.items():
        if not demanding & failed:
            yield Finding(
                f"`{name}` is killed by none of the checks that demand {quoted}",
                where,
                f"it fails {_listed(failed)}",
            )
    beyond = [failed - demanding for failed in tried.values() if demanding & failed]
    if beyond and all(beyond):
        nearest = _listed(min(beyond, key=len))
        yield Finding(
            f"no mutant is killed by the checks of {quoted} alone",
            where,
            f"the nearest one also fails {nearest}: write a narrower mutant, or name them",
        )


def checks_called(name: str, suite: Suite) -> set[str]:
    """The checks that `QUESTION.CHECK` names: one, or all variants of one test function."""
    question, _, wanted = name.partition(".")
    return {
        check.id
        for check in suite.checks
        if check.question == question and wanted in (check.id, check.id.partition("[")[0])
    }


def _nearest_check(name: str, suite: Suite) -> str:
    import difflib

    known = sorted({f"{c.question}.{c.id.partition('[')[0]}" for c in suite.checks})
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{near[0]}`?" if near else "they are called QUESTION.CHECK"


def _listed(checks: Collection[str]) -> str:
    names = sorted(checks)
    shown = ", ".join(names[:4])
    return (shown + (f" and {len(names) - 4} more" if len(names) > 4 else "")) or "nothing"
