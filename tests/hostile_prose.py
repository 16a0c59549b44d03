"""Markdown that wants to act in the browser of who reads it, put together from its parts."""

from __future__ import annotations

from hypothesis import strategies as st

_SCHEMES = ("javascript", "vbscript", "data", "JaVaScRiPt", "file", "blob", "x-other")
_COLONS = (":", "&#58;", "&#x3a;", "&colon;", "&#0000058;", "%3a", "\\:", " :")
_BETWEEN = ("", "&#115;", "&Tab;", "&NewLine;", "\t", "&#10;", "&#x00;", "\u200b", "\\")
_BEFORE = ("", " ", "&#1;", "&nbsp;", "\u2028", "//", "<", "\x0b")
_TARGETS = (
    "alert(1)",
    "text/html,<b>",
    "text/html;base64,PHNjcmlwdD4=",
    "image/svg+xml,<svg onload=x>",
)
_PLACES = (
    "[x]({})", "[x](<{}>)", "![x]({})", "<{}>", "[x][a]\n\n[a]: {}", "![x][a]\n\n[a]: {} 'title'", "[a]\n\n[a]: {}",
    "<a href='{}'>x</a>", '<a href="{}">x</a>', "<a href={}>x</a>", "<img src='{}'>", "<iframe src='{}'></iframe>",
    "| [x]({}) | b |\n|--|--|\n| ![x]({}) | c |", "- [x]({})\n  > ![x]({})", "# [x]({})", "$\\href{{{}}}{{x}}$",
    "$$\\href{{{}}}{{x}}$$", "\\\\(\\href{{{}}}{{x}}\\\\)", "\\begin{{align}}\\href{{{}}}{{x}}\\end{{align}}",
    "$5 \\href{{{}}}{{x}} $", "**[x]({})**", "[![x]({})]({})", "<svg><a xlink:href='{}'><text>x</text></a></svg>",
    "<math><mi href='{}'>x</mi></math>", "<form action='{}'><input type=submit></form>", "<base href='{}'>",
    "<object data='{}'></object>", "<p style='background:url({})'>x</p>", "<meta http-equiv=refresh content='0;url={}'>",
    "```mermaid\n<a href='{}'>x</a>\n```", "[x]({} \"t\")", "http://x/{}", "<td background='{}'>", "<img srcset='{}'>",
)  # fmt: skip
_TAGS = (
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "<svg onload=alert(1)>", "<svg/onload=alert(1)>",
    "<style>*{display:none}</style>", "<!-- x --><b onclick=x>", "<!--><img src=x onerror=alert(1)>-->",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<details open ontoggle=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>", "<input autofocus onfocus=alert(1)>",
    "<div style='position:fixed;top:0'>10 / 10</div>", "</div></div><script>alert(1)</script>",
    "```mermaid\n<img src=x onerror=alert(1)>\n```", "```html\n<img src=x onerror=alert(1)>\n```",
    "$\\text{<img src=x onerror=alert(1)>}$", "$$</math><script>alert(1)</script>$$", "$<img src=x onerror=alert(1)>$",
    "\\begin{a}<script>alert(1)</script>\\end{a}", "# <img src=x onerror=alert(1)>", "<plaintext>", "<textarea>", "<title>",
    "<a\n href='javascript:alert(1)'\n>x</a>", "![\"><img src=x onerror=alert(1)>](x)", "[x](y '\"onmouseover=alert(1) ')",
    "<x onclick=alert(1)>", "<?php alert(1) ?>", "<![CDATA[<script>alert(1)</script>]]>", "<button formaction=javascript:x>b",
    "<video src=x onerror=alert(1)><source onerror=alert(1)>", "<template><script>alert(1)</script></template>",
)  # fmt: skip


EXAMPLES = (
    "\\$\\href{javascript:x}{y}$",
    "\\$&#92;href{javascript:x}{y}$ \\\\href{javascript:x}{y}",
    *_TAGS,
    *(place.format(*["java&#115;cript:x"] * place.count("{}")) for place in _PLACES),
    *(f"[x](javascript{colon}x)" for colon in _COLONS),
)


@st.composite
def _links(draw: st.DrawFn) -> str:
    scheme = draw(st.sampled_from(_SCHEMES))
    cut = draw(st.integers(0, len(scheme)))
    parts = [st.sampled_from(group) for group in (_BEFORE, _BETWEEN, _COLONS, _TARGETS)]
    before, between, colon, target = (draw(part) for part in parts)
    address = f"{before}{scheme[:cut]}{between}{scheme[cut:]}{colon}{target}"
    place = draw(st.sampled_from(_PLACES))
    return place.format(*[address] * place.count("{}"))


def hostile_prose() -> st.SearchStrategy[str]:
    """One to three of them, with ordinary words, dollars and line ends around."""
    glue = st.sampled_from(
        ["\n\n", " ", "", "\n", " $ ", "$$", "`", "*", "> ", "\n- ", " <b>", "</p>", "|", "\\"]
    )
    part = st.one_of(_links(), st.sampled_from(_TAGS))
    return st.lists(st.tuples(glue, part, glue), min_size=1, max_size=3).map(
        lambda parts: "".join(piece for one in parts for piece in one)
    )
