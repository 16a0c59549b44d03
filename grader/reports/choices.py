"""What a person can choose of reports: which of them, and how much is told of hidden checks."""

from __future__ import annotations

import enum
from typing import Protocol


class HasVisibility(Protocol):
    """A check of a suite, of a gradebook, or of a student's feedback."""

    @property
    def public(self) -> bool:
        """Whether students have it."""


class Format(enum.StrEnum):
    """What `grader check --format` names."""

    TERMINAL = "terminal"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    HTML = "html"
    JUNIT = "junit"
    GRADESCOPE = "gradescope"


DEFAULT = (Format.TERMINAL, Format.JSON, Format.CSV, Format.MARKDOWN, Format.HTML)


class Hidden(enum.StrEnum):
    """How much of the hidden checks a student is told: `--show-hidden`."""

    TITLES = "titles"
    QUESTIONS = "questions"
    NONE = "none"


class Visibility(enum.StrEnum):
    """Whether students have a check, as every report calls it."""

    PUBLIC = "public"
    HIDDEN = "hidden"

    @classmethod
    def of(cls, check: HasVisibility) -> Visibility:
        """What a check of any kind is."""
        return cls.PUBLIC if check.public else cls.HIDDEN
