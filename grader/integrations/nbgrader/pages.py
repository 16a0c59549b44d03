"""Markdown as HTML, in formgrader and in feedback: nbconvert's, made harmless, with formulas.

`configure` puts `markdown2html` in the place of nbconvert's filter of that name, and a template
that uses `without_mathjax` around nbgrader's.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import (
    IPythonRenderer,
    MarkdownWithMath,
    MathInlineParser,
)

from grader.integrations.nbgrader.formulas import formula
from grader.integrations.nbgrader.pictures import ATTACHMENT, Attachments, attached
from grader.integrations.nbgrader.sanitizing import sanitized

_INSTEAD = Path(__file__).parent / "templates/instead_of_mathjax.html"
LANGUAGES = frozenset(
    {"python", "py", "python3", "ipython", "ipython3", "pycon", "bash", "sh", "console", "json",
     "text", "diff"}
)  # fmt: skip
"""Of code in prose that is coloured. A stranger does not choose among hundreds of lexers."""


@pass_context
def markdown2html(context: Any, source: str) -> str:
    """Be nbconvert's filter: a cell's Markdown as HTML that nobody has to fear."""
    cell = context.get("cell") or {}
    return page(source, cell.get("attachments") or {})


def without_mathjax(head: str) -> str:
    """Take the script for formulas out of a page's head: it would be fetched from elsewhere."""
    before, found, rest = head.partition("<!-- Load mathjax -->")
    _, end, after = rest.partition("<!-- End of mathjax configuration -->")
    return before + _INSTEAD.read_text(encoding="utf-8") + after if found and end else head


def page(source: str, attachments: Attachments | None = None) -> str:
    """Return Markdown as harmless HTML, with the formulas in it as MathML.

    Args:
        source: Markdown, whoever wrote it.
        attachments: the cell's, by name and media type.
    """
    renderer = _Renderer(attachments or {})
    try:
        made = MarkdownWithMath(renderer=renderer, inline=_Inline(hard_wrap=False)).render(source)
    except Exception:  # whatever it was: one cell that can't be read hides no other
        made = f"<pre>{html.escape(source)}</pre>"
    # MathJax, where a page has it, finds nothing to do: what has dollars left is no formula
    return f'<div class="tex2jax_ignore">{sanitized(made, attachments)}</div>'


def language(info: str | None) -> str | None:
    """The language after a fence, if it is one of those that are coloured."""
    first = (info or "").split(maxsplit=1)[:1]
    return first[0] if first and first[0].lower() in LANGUAGES else None


class _Inline(MathInlineParser):
    """Knows money and code from formulas.

    After the second dollar stands no digit. Inside of both stands no space; or in both places one,
    if there is a sign of TeX between them.
    """

    SPECIFICATION: ClassVar[dict[str, str]] = {
        **MathInlineParser.SPECIFICATION,
        "inline_math_tex": (
            r"(?<![$\\])\$(?!\$)(?P<spaced>(?=\s[^$`]*[\\^_]))?(?(spaced)|(?!\s))"
            r"(?P<math_inline_tex>(?s:[^$`\\]|\\.)+)"
            r"(?(spaced)(?<=\s)|(?<!\s))\$(?![$\d])"
        ),
    }


class _Renderer(IPythonRenderer):
    def __init__(self, attachments: Attachments) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self._pasted = attachments

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        words = re.sub(
            r"<[^<>]*>|[\"&<>]", "", html.unescape(text)
        )  # other cells link to it by its words
        made: str = super().heading(text, level, **attrs | {"id": words.replace(" ", "-")})
        return made

    def block_code(self, code: str, info: str | None = None) -> str:
        made: str = super().block_code(code, info=language(info))
        return made

    def image(self, text: str, url: str, title: str | None = None) -> str:
        if url.startswith(ATTACHMENT) and attached(self._pasted, url) is None:
            return f"<em>[no picture: {text or 'attachment'}]</em>"
        made: str = super(IPythonRenderer, self).image(text, url, title)
        return made

    def inline_math(self, body: str) -> str:
        return formula(body, block=False)

    def block_math(self, body: str) -> str:
        return formula(body, block=True) if body.strip() else f"$${body}$$"

    def latex_environment(self, name: str, body: str) -> str:
        return formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)
