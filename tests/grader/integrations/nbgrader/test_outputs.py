"""Of a stranger's outputs, text and pictures stay; nothing that a browser would run does."""

from __future__ import annotations

import base64

import pytest

from grader.integrations.nbgrader.outputs import OutputBudget, clean_outputs

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"picture").decode()


def shown(*outputs: object) -> list[dict[str, object]]:
    return clean_outputs(list(outputs), OutputBudget())


def display(**data: object) -> dict[str, object]:
    return {
        "output_type": "display_data",
        "data": {k.replace("_", "/"): v for k, v in data.items()},
    }


def test_a_picture_and_its_text_stay() -> None:
    (output,) = shown(display(image_png=PNG, text_plain="<Figure>", text_html="<script>"))
    assert output["data"] == {"image/png": PNG, "text/plain": "<Figure>"}


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "image/svg+xml",
        "application/javascript",
        "text/markdown",
        "text/latex",
        "application/vnd.plotly.v1+json",
    ],
)
def test_what_a_browser_would_run_goes(kind: str) -> None:
    assert shown({"output_type": "display_data", "data": {kind: "<script>alert(1)</script>"}}) == []


@pytest.mark.parametrize(
    "claim", ["not base64!", base64.b64encode(b"<svg onload=x>").decode(), 5, None, [1]]
)
def test_a_picture_that_is_none_goes(claim: object) -> None:
    assert shown(display(image_png=claim)) == []


def test_escape_sequences_are_shown_not_obeyed() -> None:
    (output,) = shown(
        {"output_type": "stream", "name": "stdout", "text": "\x1b[31mred\x1b[0m \x1b]0;t\x07"}
    )
    assert output["text"] == "red \\x1b]0;t\\x07"


def test_an_error_keeps_what_it_said() -> None:
    (output,) = shown(
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a", 3, "b"]}
    )
    assert (output["ename"], output["evalue"], output["traceback"]) == ("E", "v", ["a\nb"])


def test_long_text_is_cut_in_the_middle() -> None:
    (output,) = shown({"output_type": "stream", "name": "stdout", "text": "x" * 1_000_000})
    assert len(str(output["text"])) < 11_000


def test_a_notebook_may_bring_a_bounded_amount_along() -> None:
    budget = OutputBudget(left=15_000)
    flood = [{"output_type": "stream", "name": "stdout", "text": "x" * 9_000}] * 9
    assert len(clean_outputs(flood, budget)) == 1


@pytest.mark.parametrize(
    "outputs", [None, 5, {}, "x", [None, 1, "x", {}, {"output_type": "stream"}]], ids=str
)
def test_malformed_outputs_do_no_harm(outputs: object) -> None:
    clean_outputs(outputs, OutputBudget())
