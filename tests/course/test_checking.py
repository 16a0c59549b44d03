"""`check` in a notebook: at once, in plain words, and never in the student's way."""

from __future__ import annotations

import math
import random
import re
from typing import Any

import pytest
import torch
from torch import nn

from course.checking import Report, check_namespace, show


class Embedding(nn.Module):
    """A right answer in few words."""

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        max_len: int = 1024,
        positional: str = "sinusoidal",
        dropout: float = 0.1,
        padding_idx: int | None = None,
    ) -> None:
        super().__init__()
        if positional not in ("sinusoidal", "learned"):
            raise ValueError(positional)
        self.token_embedding = nn.Module()
        self.token_embedding.embedding = nn.Embedding(vocab_size, d_model, padding_idx)
        angles = torch.arange(max_len)[:, None] / 10_000 ** (torch.arange(0, d_model, 2) / d_model)
        waves = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
        self.place = nn.Embedding.from_pretrained(waves)
        if positional == "learned":
            self.place = nn.Embedding(max_len, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        vectors = self.token_embedding.embedding(tokens) * math.sqrt(8)
        return self.dropout(vectors + self.place(torch.arange(tokens.shape[1])))


class Narrow(Embedding):
    """Wrong: one column is missing."""

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return super().forward(tokens)[..., 1:]


class Stub:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError


def report(question: str | None = "shapes", **names: Any) -> Report:
    return check_namespace({"ASSIGNMENT": "embeddings", **names}, question)


def text_of_html(made: Report) -> str:
    return re.sub(r"<[^>]*>", " ", made._repr_html_())


def test_right_work_is_green_with_points() -> None:
    made = report(TransformerEmbedding=Embedding)
    assert made.earned == made.possible > 0, made
    assert "✓" in repr(made)
    assert "✗" not in repr(made)
    assert "of 3 points" in text_of_html(made)


def test_wrong_work_is_red_with_expected_actual_and_hint() -> None:
    made = report(TransformerEmbedding=Narrow)
    assert made.earned < made.possible
    for shown in (repr(made), text_of_html(made)):
        assert "✗" in shown
        assert "expected" in shown
        assert "got" in shown
        assert "Hint:" in shown


@pytest.mark.parametrize("names", [{}, {"TransformerEmbedding": Stub}])
def test_nothing_yet_is_red_without_points_and_without_a_traceback(names: dict[str, Any]) -> None:
    made = report(**names)
    assert made.earned == 0
    assert "Traceback" not in repr(made)
    assert "not implemented yet" in repr(made) or "is not defined" in repr(made)


def test_no_question_sums_up_the_notebook() -> None:
    made = report(None, TransformerEmbedding=Embedding)
    assert made.possible == 3.0


def test_a_question_that_does_not_exist_is_told() -> None:
    assert "no public question 'shape'" in repr(report("shape"))


def test_a_notebook_that_says_no_assignment_is_told_what_to_do() -> None:
    assert "first code cell" in repr(check_namespace({}, "shapes"))


def test_checking_leaves_the_notebooks_random_state_alone() -> None:
    torch.manual_seed(1)
    random.seed(1)
    expected = (torch.rand(1), random.random())
    torch.manual_seed(1)
    random.seed(1)
    report(TransformerEmbedding=Embedding)
    assert (torch.rand(1), random.random()) == expected


def test_checking_leaves_grad_mode_and_dtype_alone() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            report(TransformerEmbedding=Embedding)
            assert not torch.is_grad_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_what_students_wrote_is_escaped_in_html() -> None:
    class Evil(Embedding):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            raise ValueError("<script>alert(1)</script>")

    assert "<script>" not in report(TransformerEmbedding=Evil)._repr_html_()


def test_nothing_is_checked_while_grading(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from course import check

    monkeypatch.setenv("GRADER_GRADING", "1")
    check("shapes")
    assert capsys.readouterr().out == ""


def test_a_ready_made_part_is_no_answer() -> None:
    from course.parts import TransformerEmbedding

    made = report(TransformerEmbedding=TransformerEmbedding)
    assert "TransformerEmbedding is the course's own class" in repr(made)
    assert made.results == ()


class Unprepared(nn.Module):
    """The usual slip: `super().__init__()` is missing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.token_embedding = nn.Linear(2, 2)


def test_one_error_is_shown_once_above_the_checks_that_it_stopped() -> None:
    made = report(TransformerEmbedding=Unprepared)
    for shown in (repr(made), text_of_html(made)):
        assert shown.count("AttributeError") == 1
        assert shown.index("AttributeError") < shown.index("(not run)")
        assert shown.count("(not run)") == len(made.results) > 3
        assert f"This stopped {len(made.results)} checks." in shown
        assert "Hint:" not in shown


def test_symbols_have_words_for_who_can_not_see_them() -> None:
    page = report(TransformerEmbedding=Narrow)._repr_html_()
    assert 'role="status"' in page
    assert page.count('aria-hidden="true"') == len(
        re.findall(r">(?:not )?(?:passed|failed|run): <", page)
    )


def test_an_interrupt_is_shown_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupting(Embedding):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            raise KeyboardInterrupt

    made = report(TransformerEmbedding=Interrupting)
    assert "no public question" not in repr(made)
    assert "The checks were interrupted" in text_of_html(made)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        show(made)
    assert "The checks were interrupted" in capsys.readouterr().out


def counted(memory: float = 100, fixed: float = 0, per_sequence: float = 1) -> int:
    """A wrong batch: the reserve is forgotten."""
    return int((memory - fixed) // per_sequence)


def test_practice_is_shown_with_the_whole_notebook_and_gives_no_points() -> None:
    from solutions import tiny_transformer

    names = {name: getattr(tiny_transformer, name) for name in tiny_transformer.__all__}
    right = check_namespace({"ASSIGNMENT": "memory_estimation", **names}, None)
    wrong = check_namespace(
        {"ASSIGNMENT": "memory_estimation", **names, "largest_batch": counted}, None
    )
    assert wrong.earned == wrong.possible == right.earned == 2
    practised = sum(not result.points for result in right.results)
    assert practised > 3
    for shown in (repr(right), text_of_html(right)):
        last = shown.partition("Public checks in all: ")[2]
        assert last.startswith(f"2 of 2 points; practice, {practised} of {practised} right.")
        assert "All green" in last
    for shown in (repr(wrong), text_of_html(wrong)):
        last = shown.partition("Public checks in all: ")[2]
        assert last.startswith(f"2 of 2 points; practice, {practised - 1} of {practised} right.")
        assert "All green" not in last


def test_a_notebook_without_practice_is_summed_up_in_points_alone() -> None:
    made = check_namespace({"ASSIGNMENT": "full_model"}, None)
    assert all(result.points for result in made.results)
    assert "practice" not in repr(made)
