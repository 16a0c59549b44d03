"""How every page is made: one Jinja environment in which all text is made harmless by default."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import sys
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.bccache import Bucket, FileSystemBytecodeCache
from markupsafe import Markup

from grader.reports.feedback import CheckFeedback
from grader.text import WITHOUT_ISOLATION, one_line, points, printable, sentence

TEMPLATES = Path(__file__).parent / "templates"


def render(
    template: str,
    /,
    *,
    script: str = "",
    style: str = "",
    posts: bool = False,
    made_from: str = "",
    **values: object,
) -> str:
    """Fill a template.

    Args:
        template: its file name.
        script: the file name of the page's script, if it has one.
        style: the file names of what comes after the style of all pages, if anything does.
        posts: whether it is served, and its forms go back to where it came from.
        made_from: the fingerprint of everything that decides the page, to be told in its head.
        values: what the template uses.
    """
    return _template(template).render(
        style=_style(style),
        script=_source(script) if script else "",
        policy=content_policy(script, style, posts=posts),
        made_from=made_from,
        **values,
    )


def address(*parts: str) -> str:
    """A relative link to a file of the reports, whatever its name holds."""
    return "/".join(quote(part) for part in parts)


@lru_cache(maxsize=4096)  # the same titles and hints stand in every student's feedback
def prose(text: str) -> Markup:
    """One line of text in which `code` between backticks is set as code."""
    pieces = one_line(text).split("`")
    if len(pieces) % 2 == 0:  # a backtick without a partner is a backtick
        pieces[-2:] = ["`".join(pieces[-2:])]
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if place % 2 else piece
        for place, piece in enumerate(pieces)
    )


@lru_cache(maxsize=4096)  # most students pass a check, or fail it, as others do
def check(told: CheckFeedback) -> Markup:
    """What a student reads about one check, as an item of a list."""
    return Markup(_template("check.html").render(check=told).rstrip())


def percentage(share: float | None) -> str:
    """A share of 1 as a whole percentage, a dash when there is none."""
    return "–" if share is None else f"{100 * share:.0f} %"


def decimal(value: float | None, digits: int = 1) -> str:
    """A number with a fixed number of digits and a real minus sign, a dash when there is none."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "\u2212")


def clipped(text: str, limit: int) -> str:
    """The beginning of a text on one line."""
    line = one_line(text[: 2 * limit])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _shown(value: object) -> object:
    return printable(value) if type(value) is str and not value.isprintable() else value


class _Compiled(FileSystemBytecodeCache):
    """Keeps compiled templates beside them, as Python does with modules, and trusts them as much.

    Where that can't be written, nothing is kept.
    """

    def __init__(self) -> None:
        # jinja itself asks for the text and Python's version only
        super().__init__(str(TEMPLATES / "__pycache__"), f"jinja2-{version('jinja2')}-%s.cache")

    def load_bytecode(self, bucket: Bucket) -> None:
        with contextlib.suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not sys.dont_write_bytecode:
            with contextlib.suppress(OSError):
                (TEMPLATES / "__pycache__").mkdir(exist_ok=True)
                super().dump_bytecode(bucket)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        bytecode_cache=_Compiled(),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        check=check,
        points=points,
        prose=prose,
        percentage=percentage,
        decimal=decimal,
        clipped=clipped,
        sentence=sentence,
    )
    environment.globals["without_isolation"] = WITHOUT_ISOLATION[0].upper() + WITHOUT_ISOLATION[1:]
    return environment


@lru_cache(maxsize=8)
def _template(name: str) -> Template:
    return _environment().get_template(name)


@lru_cache(maxsize=8)
def _source(name: str) -> Markup:
    """A file of ours that goes into the page as it is."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8").strip())


@lru_cache(maxsize=8)
def _style(more: str) -> Markup:
    """The style of all pages, and what one of them needs besides."""
    return Markup("\n").join(map(_source, ["style.css", *more.split()]))


@lru_cache(maxsize=8)
def content_policy(script: str = "", style: str = "", *, posts: bool = False) -> str:
    """What a browser lets a page do: nothing but look as it does, and run its own script."""
    rules = ["default-src 'none'", f"style-src '{_hash(_style(style))}'"]
    if script:
        rules.append(f"script-src '{_hash(_source(script))}'")
    return "; ".join([*rules, "base-uri 'none'", f"form-action '{'self' if posts else 'none'}'"])


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
