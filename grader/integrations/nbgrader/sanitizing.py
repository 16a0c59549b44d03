"""What of a page that somebody else wrote reaches a browser: named elements, nothing that acts."""

from __future__ import annotations

import nh3
from pygments.token import STANDARD_TYPES

from grader.integrations.nbgrader import formulas
from grader.integrations.nbgrader.pictures import ATTACHMENT, Attachments, attached, from_url

ADDRESSES = frozenset({"http", "https", "mailto"})
_PREFIX = "prose-"
"""Of ids: formgrader finds its own inputs by id, and would find a heading of that name instead."""

_ELEMENTS = frozenset(
    {"a", "abbr", "b", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup",
     "dd", "del", "details", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3",
     "h4", "h5", "h6", "hr", "i", "img", "input", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q",
     "s", "samp", "small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody",
     "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "wbr"}
)  # fmt: skip
_ATTRIBUTES = {
    "*": {"id", "style", "title", "align"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "input": {"checked"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    **{name: set(formulas.ATTRIBUTES) for name in formulas.ELEMENTS},
}
_STYLES = {
    "background-color", "border", "color", "font-style", "font-weight", "height", "max-width",
    "text-align", "text-decoration", "vertical-align", "width",
}  # fmt: skip
_CODE = set(filter(None, STANDARD_TYPES.values()))
_BOXES = {"highlight", "alert", "alert-info", "alert-success", "alert-warning", "alert-danger"}
_FORMULA_LINK = "\\href"


def sanitized(page: str, attachments: Attachments | None = None) -> str:
    """Return a piece of HTML, balanced, of which no browser runs anything.

    Args:
        page: HTML, whoever wrote it.
        attachments: of the cell that it comes from; a picture among them is put in its place.
    """

    def changed(element: str, name: str, value: str) -> str | None:
        if (element, name) == ("img", "src"):
            return _picture_address(value, attachments or {})
        if name == "id":
            return _PREFIX + value
        if name != "href":
            return value
        if value.startswith("#"):
            return f"#{_PREFIX}{value[1:]}"
        return None if _scheme(value) in ("data", "attachment") else value

    made = nh3.clean(
        page,
        tags=set(_ELEMENTS | formulas.ELEMENTS),
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        attribute_filter=changed,
        set_tag_attribute_values={"input": {"type": "checkbox", "disabled": ""}},
        url_schemes={*ADDRESSES, "data", "attachment"},
        allowed_classes={"span": _CODE, "div": _BOXES},
        filter_style_properties=_STYLES,
    )
    # a script for formulas, where a page has one, would make a link of it
    return made.replace(_FORMULA_LINK, "\\\u200bhref")


def _picture_address(value: str, attachments: Attachments) -> str | None:
    scheme = _scheme(value)
    if scheme == "data":
        found = from_url(value)
    elif scheme == "attachment":
        found = attached(attachments, ATTACHMENT + value.strip()[len(ATTACHMENT) :])
    else:
        return value
    return found.url if found else None


def _scheme(address: str) -> str:
    """The scheme as browsers read it, which skip what can't be seen."""
    return "".join(address.split()).lstrip("".join(map(chr, range(33)))).partition(":")[0].lower()
