"""TeX formulas as MathML, which a browser shows by itself: without a script and without a network.

What comes out holds only elements and attributes that are named here. A formula that can't be read
is shown as it was written.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from xml.etree import ElementTree

from latex2mathml.converter import convert

MAX_CHARS = 2_000
"""Of one formula; a longer one is shown as it was written."""

ELEMENTS = frozenset(
    {"math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "ms", "mfrac", "msqrt", "mroot", "mstyle",
     "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts",
     "none", "mtable", "mtr", "mtd", "mlabeledtr", "menclose", "mphantom", "mpadded"}
)  # fmt: skip
_WORDS = ("display", "displaystyle", "scriptlevel", "mathvariant", "stretchy", "fence", "form",
          "accent", "accentunder", "movablelimits", "largeop", "separator", "symmetric", "notation",
          "columnalign", "rowalign", "columnlines", "rowlines", "mathcolor")  # fmt: skip
_LENGTHS = ("width", "lspace", "rspace", "minsize", "maxsize", "linethickness", "rowspacing",
            "columnspacing")  # fmt: skip
ATTRIBUTES = frozenset((*_WORDS, *_LENGTHS))

_WORD = re.compile(r"[#+\w ]{1,40}")
# nothing is moved so far that it covers what others wrote
_LENGTH = re.compile(r"-?[0-3]?(?:\.\d{1,9})?(?:em|ex|pt|px)?")
_MAX_LENGTHS = 20
# environments that latex2mathml does not know, by those that show the same
_ENVIRONMENTS = {
    **dict.fromkeys(("aligned", "eqnarray", "eqnarray*", "flalign", "flalign*"), "align*"),
    **dict.fromkeys(("gather", "gather*", "gathered", "multline", "multline*"), "matrix"),
    "dcases": "cases",
}
_ENVIRONMENT = re.compile(r"\\(begin|end)\{([a-z]{1,9}\*?)\}")
_PAGE = "{http://www.w3.org/1998/Math/MathML}"
# latex2mathml passes these on as they are; as signs that nobody uses they can be told from its tags
_SIGNS = {"<": "\ue000", ">": "\ue001", "&lt;": "\ue000", "&gt;": "\ue001"}


@lru_cache(maxsize=2_000)
def formula(tex: str, *, block: bool) -> str:
    """Return a formula as a piece of HTML.

    Args:
        tex: without the dollars around it.
        block: whether it stands on a line of its own.
    """
    try:
        return _mathml(tex, block=block)
    except Exception:  # a stranger's TeX: the converter raises many kinds
        quoted = f"<code>{html.escape(tex.strip())}</code>"
        return f"<div>{quoted}</div>" if block else quoted


def _mathml(tex: str, *, block: bool) -> str:
    if len(tex) > MAX_CHARS:
        raise ValueError("too long")
    if "\ue000" in tex or "\ue001" in tex:
        raise ValueError("signs of ours")
    tex = _ENVIRONMENT.sub(_known_environment, tex)
    for sign, ours in _SIGNS.items():
        tex = tex.replace(sign, ours)
    made = convert(tex, display="block" if block else "inline")
    for ours, sign in (("\ue000", "&lt;"), ("\ue001", "&gt;")):
        made = made.replace(f"<mi>{ours}</mi>", f"<mo>{sign}</mo>").replace(ours, sign)
    made = made.replace("negativethinmathspace", "-0.167em")  # browsers know no names of spaces
    root = ElementTree.fromstring(made)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_PAGE)
        if element.tag not in ELEMENTS:
            raise ValueError(f"<{element.tag}>")
        element.attrib = {
            name: value for name, value in element.attrib.items() if _allowed(name, value)
        }
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)


def _known_environment(match: re.Match[str]) -> str:
    return f"\\{match[1]}{{{_ENVIRONMENTS.get(match[2], match[2])}}}"


def _allowed(name: str, value: str) -> bool:
    if name in _LENGTHS:
        lengths = value.split()
        return len(lengths) <= _MAX_LENGTHS and all(map(_LENGTH.fullmatch, lengths))
    return name in _WORDS and _WORD.fullmatch(value) is not None
