"""The pages that people look at: formulas without a script, honest content, nobody else's ids."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import nbgrader
import pytest
from browsers import PNG, Page
from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

from grader.integrations.nbgrader import configure
from grader.integrations.nbgrader.pages import page


def shown(text: str) -> Page:
    return Page(page(text))


@pytest.mark.parametrize(
    "text",
    [
        "$x$", "$$x$$", "$a_1$ and $b$.", "the $i$th", "($x$)", "**$x$**", "$x$, $y$", "$ x_i $", "$a\nb$",
        "\\\\(x\\\\)", "\\\\[x\\\\]", "\\begin{equation}x\\end{equation}", "\\begin{align}a &= b\\end{align}",
        "| $x$ |\n|--|", "# $x$", "- $x$", "> $x$", "$\\$5$", "$a<b$", "$$\n\\frac{1}{2}\n$$", "<b>x</b> $x$",
        "[$x$](https://a.b)",
    ],
)  # fmt: skip
def test_a_formula_is_mathml(text: str) -> None:
    made = shown(text)
    assert "math" in made.tags
    assert "code" not in made.tags


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $10", "from $5 to $10.", "5$ or 6$.", "$HOME and $PATH", "US$ 5, A$ 6", "$ 5 and 6 $", "\\$x\\$", "$x$5",
        "$$", "$$$$", "a $ b", "it costs $5", "$20 or `$x` more",
    ],
)  # fmt: skip
def test_what_merely_has_dollars_stays_text(text: str) -> None:
    made = shown(text)
    assert "math" not in made.tags
    assert made.text.strip() == text.replace("\\", "").replace("`", "")


def test_dollars_in_code_stay() -> None:
    made = shown("`$x$` and\n\n```bash\necho $x $y\n```")
    assert "math" not in made.tags
    assert "$x$" in made.text
    assert "echo $x $y" in made.text.replace("  ", " ")


def test_honest_content_is_all_there() -> None:
    made = shown(
        "# Title\n\n[a](https://a.b/c?d=1&e=2) [m](mailto:x@y.z) [up](#Title) [file](notes.txt)\n\n"
        "| l | r |\n|:--|--:|\n| 1 | 2 |\n\n- [x] done\n- [ ] open\n\n"
        "```python\ndef f(): pass\n```\n\n<details><summary>s</summary>more</details>\n\n"
        '<div class="alert alert-info score">note</div>\n\n<span style="color:red">red</span>\n'
    )
    assert {"https://a.b/c?d=1&e=2", "mailto:x@y.z", "notes.txt"} <= set(made.links)
    assert {"h1", "table", "details", "summary", "input", "pre"} <= set(made.tags)
    assert ("style", "text-align:right") in made.attributes
    assert ("style", "color:red") in made.attributes
    assert ("class", "alert alert-info") in made.attributes
    assert ("class", "k") in made.attributes  # `def` is coloured


def test_a_link_within_the_notebook_finds_its_heading() -> None:
    made = shown("# My *title* & more\n\n[up](#My-title--more)")
    (name,) = [value for key, value in made.attributes if key == "id"]
    assert made.links == [f"#{name}"]


@pytest.mark.parametrize("text", ["# words", '<b id="words">x</b>', "<h1 id=words>"])
def test_prose_takes_no_id_that_formgrader_looks_for(text: str) -> None:
    """It finds a score's input by the question's name, the first of that name in the page."""
    ids = [value for key, value in shown(text).attributes if key == "id"]
    assert ids
    assert "words" not in ids


def test_checkboxes_can_do_nothing() -> None:
    made = shown("<input name=score type=text value=10>")
    assert sorted(made.attributes[-2:]) == [("disabled", ""), ("type", "checkbox")]


# ---------------------------------------------------------------- as nbconvert is configured


def configured() -> Any:
    config = Config()
    configure(config, course="/nowhere")
    return config


@pytest.mark.parametrize("template", ["formgrade", "feedback"])
def test_nbgraders_pages_hold_no_address_outside(template: str) -> None:
    """Also no script, besides formgrader's own; without a network everything is there."""
    cell = nbformat.v4.new_markdown_cell("$x$ <script>alert(1)</script> ![p](attachment:p)")
    cell["attachments"] = {"p": {"image/png": PNG}}
    config = configured()
    folder = Path(nbgrader.__file__).parent / "server_extensions/formgrader/static"
    styles = folder / "node_modules/bootstrap/dist/css"
    # as nbgrader does: after our own settings
    config.HTMLExporter.extra_template_paths = [str(styles)]
    config.HTMLExporter.extra_template_basedirs = [str(folder.parent / "templates")]
    exporter = HTMLExporter(config=config, template_name=template)
    resources = {
        "nbgrader": {"score": 0, "max_score": 0, "late_penalty": 0},
        "base_url": "/base", "index": 0, "total": 1,
    }  # fmt: skip
    body, _ = exporter.from_notebook_node(nbformat.v4.new_notebook(cells=[cell]), resources)
    made = Page(body)
    assert not [address for address in made.links if re.match(r"\w+:|//", address)]
    assert made.pictures == [f"data:image/png;base64,{PNG}"]
    assert "math" in made.tags
    assert "alert(1)" not in body
    if template == "feedback":
        assert made.tags.count("script") == 1  # which does nothing there
