"""A gradebook in which nobody can be recognised, for pages that others may see.

What is kept is listed here, field by field: what a gradebook learns to hold later is left out until
somebody has thought about it. Files, paths, times, what a notebook printed and what people wrote by
hand are left out; in what checks said, names of the class and paths become an ellipsis.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from grader.gradebook import (
    AppliedRule,
    Gradebook,
    Marked,
    RunInfo,
    Score,
    ScoredOutcome,
    Total,
)
from grader.model import CellError, Ending, Problem
from grader.names import identity

LEAST, LEAST_WITHIN = 3, 5
"""Letters of a name that is found as a word, and of one that is found within another word."""

HIDDEN = "…"
BY_HAND = "adjustment"

_PATH = re.compile(r"(?<![\w.])(?:[A-Za-z]:|~)?(?:[\\/]+[^\\/\s'\"`:,;()\[\]<>|]+){2,}")
_SOURCE_LINE = re.compile(r"(\(code cell \d+(?:, line \d+)?): .*\)", re.S)
_WORD = re.compile(r"[^\W_]+")
_PART = re.compile(r"\d+|[^\W\d_][^\W\dA-Z_]*")
"""Of a word in camel case."""


def anonymous(gradebook: Gradebook, pseudonyms: Mapping[str, str]) -> Gradebook:
    """Return a gradebook of pseudonyms, in their order.

    Args:
        gradebook: of the class.
        pseudonyms: one for each of its students.
    """
    mask = _Mask(gradebook)
    order = {one.id: place for place, one in enumerate(gradebook.assignments)}
    scores = [_score(one, pseudonyms[one.student], mask) for one in gradebook.scores]
    run = gradebook.run
    return Gradebook(
        schema_version=gradebook.schema_version,
        course=gradebook.course,
        assignments=gradebook.assignments,
        scores=tuple(
            sorted(scores, key=lambda one: (one.student, order.get(one.assignment, len(order))))
        ),
        problems=tuple(
            _problem(one, pseudonyms[one.student], mask)
            for one in gradebook.problems
            if one.student is not None and one.student in pseudonyms
        ),
        isolation=gradebook.isolation,
        run=RunInfo(
            started_at=run.started_at[:10],
            seconds=run.seconds,
            versions=run.versions,
            jobs=run.jobs,
            device=run.device,
            kept=run.kept,
            graded_with=run.graded_with,
        ),
        complete=gradebook.complete,
        course_title=gradebook.course_title,
        totals=tuple(
            sorted(
                (_total(one, pseudonyms) for one in gradebook.totals), key=lambda one: one.student
            )
        ),
        only_checks=gradebook.only_checks,
        anonymous=True,
    )


def _total(total: Total, pseudonyms: Mapping[str, str]) -> Total:
    return Total(
        student=pseudonyms[total.student],
        earned=total.earned,
        possible=total.possible,
        dropped=total.dropped,
        known=total.known,
    )


def _score(score: Score, pseudonym: str, mask: _Mask) -> Score:
    return Score(
        student=pseudonym,
        assignment=score.assignment,
        state=score.state,
        earned=score.earned,
        possible=score.possible,
        ending=Ending(
            kind=score.ending.kind,
            message=mask(score.ending.message),
            problem=score.ending.problem,
            hint=mask(score.ending.hint),
        ),
        questions=score.questions,
        outcomes=tuple(_outcome(one, mask) for one in score.outcomes),
        cell_errors=tuple(
            CellError(
                cell=one.cell, error=mask(one.error), message=mask(one.message), line=one.line
            )
            for one in score.cell_errors
        ),
        applied=tuple(
            AppliedRule(
                rule=one.rule,
                difference=one.difference,
                reason="by hand" if one.rule == BY_HAND else mask(one.reason),
                question=one.question,
                check=one.check,
            )
            for one in score.applied
        ),
        outdated=score.outdated,
        pythons=score.pythons,
        marks=tuple(
            Marked(
                question=one.question,
                possible=one.possible,
                bonus=one.bonus,
                earned=one.earned,
                rubric=one.rubric,
                adjusted=one.adjusted,
                waits=mask(one.waits),
            )
            for one in score.marks
        ),
    )


def _outcome(outcome: ScoredOutcome, mask: _Mask) -> ScoredOutcome:
    return ScoredOutcome(
        check=outcome.check,
        question=outcome.question,
        status=outcome.status,
        earned=outcome.earned,
        possible=outcome.possible,
        message=mask(outcome.message),
        detail=mask(outcome.detail),
        asked=tuple(map(mask, outcome.asked)),
        check_line=outcome.check_line,
        cell=outcome.cell,
        line=outcome.line,
        expected=mask(outcome.expected),
        actual=mask(outcome.actual),
        differs=outcome.differs,
    )


def _problem(problem: Problem, pseudonym: str, mask: _Mask) -> Problem:
    return Problem(
        kind=problem.kind,
        message=mask(problem.message),
        student=pseudonym,
        assignment=problem.assignment,
    )


class _Mask:
    """Puts an ellipsis in the place of every name of the class, of paths, and of lines of code."""

    def __init__(self, gradebook: Gradebook) -> None:
        students = {score.student for score in gradebook.scores}
        ids = (one for known in gradebook.ids.values() for one in known)
        called = (*students, *gradebook.names.values(), *filter(None, map(_telling, ids)))
        self._words = {word for one in called for word in _words(one) if len(word) >= LEAST}
        within = {len(word) for word in self._words if len(word) >= LEAST_WITHIN}
        self._lengths = sorted(within)
        files = {score.file for score in gradebook.scores} | {
            attempt.file for score in gradebook.scores for attempt in score.attempts
        }
        self._files = tuple(sorted(filter(None, files), key=len, reverse=True))
        # a class says much the same of much the same
        self._word = lru_cache(maxsize=1 << 16)(self._without_name)
        self._text = lru_cache(maxsize=1 << 14)(self._masked)

    def __call__(self, text: str) -> str:
        return self._text(text) if text else ""

    def _masked(self, text: str) -> str:
        text = _SOURCE_LINE.sub(r"\1)", text)
        for file in self._files:
            text = text.replace(file, HIDDEN)
        return _WORD.sub(lambda found: self._word(found.group()), _PATH.sub(HIDDEN, text))

    def _without_name(self, word: str) -> str:
        plain = identity(word)
        if plain in self._words or self._holds_name(plain):
            return HIDDEN
        return _PART.sub(
            lambda f: HIDDEN if identity(f.group()) in self._words else f.group(), word
        )

    def _holds_name(self, plain: str) -> bool:
        return any(
            plain[start : start + length] in self._words
            for length in self._lengths
            for start in range(len(plain) - length + 1)
        )


def _telling(one: str) -> str:
    """What of an id tells who it is: a short number may be any, and a server is everybody's."""
    login = one.partition("@")[0]
    return "" if login.isdecimal() and len(login) < LEAST_WITHIN else login


def _words(name: str) -> Iterable[str]:
    plain = identity(name)
    return {plain, *_WORD.findall(plain)}
