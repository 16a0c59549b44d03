"""What is unsolved in a block is stood in for; what runs, however it is written, is left alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from course.checks import assembled_blocks
from course.checks.assembled_blocks import assert_own, block_maker, heads_maker, replaced
from grader.authoring.lessons import lesson_path, read_lesson
from grader.authoring.partial import Variant, unsolved
from grader.authoring.release import solution_sources
from grader.config.course import load_course
from grader.testing.failure import CheckFailed
from grader.testing.handles import SubmissionNames, elements
from grader.testing.links import StudentError
from grader.testing.local import LocalLink

ROOT = Path(__file__).parents[3]
COURSE = load_course(ROOT)
SOURCES = solution_sources(COURSE, read_lesson(lesson_path(COURSE, "blocks")))
IMPORTS = "import math, torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n"
ATTENTION, HEADS, NETWORK, BLOCK = (*assembled_blocks.PARTS, assembled_blocks.BLOCK)


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that graders bring."""
    monkeypatch.syspath_prepend(str(ROOT / "solutions/suites"))
    monkeypatch.setattr(assembled_blocks, "_brought", [])
    sys.modules.pop("block_stand_ins", None)
    __import__("block_stand_ins")


def notebook(*texts: str) -> tuple[SubmissionNames, dict[str, Any]]:
    names: dict[str, Any] = {}
    for text in (IMPORTS, *texts):
        exec(text, names)
    return SubmissionNames(LocalLink(names)), names


def with_gap(stub: str, variant: Variant) -> tuple[SubmissionNames, dict[str, Any]]:
    answer = stub.partition(".")[0]
    wrong = "torch.zeros(1)"
    texts = SOURCES | {answer: unsolved(SOURCES[answer], stub, variant, wrong)}
    return notebook(*texts.values())


@pytest.mark.parametrize("variant", [Variant.RAISES, Variant.RETURNS_NONE, Variant.WRONG_SHAPE])
@pytest.mark.parametrize(
    "stub",
    [ATTENTION, HEADS, f"{HEADS}.__init__", NETWORK],
)
def test_one_part_is_replaced_and_no_other(stub: str, variant: Variant) -> None:
    submission, names = with_gap(stub, variant)
    part = stub.partition(".")[0]
    before = dict(names)
    assert set(replaced(submission)) == {part}
    out, weights = block_maker(submission)(d_model=6, n_heads=3, d_ff=8)(
        torch.randn(2, 5, 6), return_attention=True
    ).value()
    assert (out.shape, weights.shape) == ((2, 5, 6), (2, 3, 5, 5))
    with pytest.raises((CheckFailed, StudentError)):
        assert_own(submission, part)
    assert_own(submission, BLOCK)
    assert {name: names[name] for name in before} == before


@pytest.mark.parametrize("variant", [Variant.RAISES, Variant.LEFT_OUT])
@pytest.mark.parametrize("stub", [BLOCK, f"{BLOCK}.__init__"])
def test_a_block_is_put_together_from_what_is_there(stub: str, variant: Variant) -> None:
    submission, names = with_gap(stub, variant)
    assert set(replaced(submission)) == {BLOCK}
    own = (names[HEADS], names[NETWORK])
    names["found"] = lambda block: [any(type(m) is kind for m in block.modules()) for kind in own]
    block = block_maker(submission)(d_model=6, n_heads=3, d_ff=8)
    assert submission.found(block).value() == [True, True]


def test_heads_of_ones_own_are_made_with_attention_that_stands_in() -> None:
    submission, _ = with_gap(ATTENTION, Variant.RAISES)
    x = torch.randn(1, 4, 6)
    out, weights = heads_maker(submission)(d_model=6, n_heads=2)(x, x, x).value()
    assert (out.shape, weights.shape) == ((1, 4, 6), (1, 2, 4, 4))


@pytest.mark.parametrize("path", sorted((ROOT / "tests/styles").glob("blocks_*.py")), ids=str)
def test_a_block_that_runs_is_left_alone(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("@torch.jit.script\n", "")
    submission, _ = notebook(text)
    assert replaced(submission) == {}


OWN_TOOLS = """
def softmax(scores, dim=-1):
    {softmax}


class LayerNorm(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.shift = nn.Parameter(torch.zeros(d_model))

    def forward(self, x):
        {norm}
"""
SOUND_SOFTMAX = "return (scores - scores.amax(dim, True)).softmax(dim)"
SOUND_NORM = "return F.layer_norm(x, self.gain.shape, self.gain, self.shift)"
USES_THEM = {
    ATTENTION: ("scores.softmax(dim=-1)", "softmax(scores)"),
    BLOCK: ("nn.LayerNorm(d_model, bias=bias)", "LayerNorm(d_model)"),
}


@pytest.mark.parametrize("wrong", ["raise NotImplementedError", "return {} * 2", "return None"])
@pytest.mark.parametrize("name", [assembled_blocks.SOFTMAX, assembled_blocks.NORM])
def test_ones_own_softmax_and_norm_are_right_for_what_uses_them(name: str, wrong: str) -> None:
    texts = {part: SOURCES[part].replace(*USES_THEM.get(part, ("", ""))) for part in SOURCES}
    for tool in (assembled_blocks.SOFTMAX, assembled_blocks.NORM):
        del texts[tool]
    sound = {"softmax": SOUND_SOFTMAX, "norm": SOUND_NORM}
    right, _ = notebook(OWN_TOOLS.format(**sound), *texts.values())
    assert assembled_blocks.unsound(right) == ()
    kind, given = ("softmax", "scores") if name == assembled_blocks.SOFTMAX else ("norm", "x")
    answers = OWN_TOOLS.format(**{**sound, kind: wrong.format(given)})
    submission, names = notebook(answers, *texts.values())
    before = dict(names)
    assert assembled_blocks.unsound(submission) == (name,)
    assert replaced(submission) == {}
    x, outputs = torch.randn(2, 5, 6), []
    for one in (right, submission):
        block = block_maker(one)(d_model=6, n_heads=3, d_ff=8).eval()
        for parameter in elements(block.parameters()):
            parameter.detach().fill_(0.5)
        outputs.append(block(x, return_attention=True).value())
    torch.testing.assert_close(outputs[1], outputs[0])
    out, _ = assembled_blocks.part(submission, ATTENTION)(x, x, x).value()
    assert out.shape == x.shape
    assert {one: names[one] for one in before} == before


def test_a_part_that_no_block_uses_may_give_nothing() -> None:
    style = (ROOT / "tests/styles/blocks_torch_layers.py").read_text(encoding="utf-8")
    unused = (
        "class FeedForward(nn.Module):\n    def __init__(self, **_):\n        super().__init__()\n"
    )
    submission, _ = notebook(style, unused + "    def forward(self, x):\n        return None\n")
    assert replaced(submission) == {}


def test_without_anything_to_stand_in_all_is_taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assembled_blocks, "_brought", [])
    submission, _ = with_gap(NETWORK, Variant.RAISES)
    assert replaced(submission) == {}
    with pytest.raises(StudentError, match="NotImplementedError"):
        block_maker(submission)(d_model=6, n_heads=3, d_ff=8)(torch.randn(1, 2, 6)).value()


def test_nothing_solved_leaves_nothing_to_ask_for() -> None:
    submission, _ = notebook()
    for name in (ATTENTION, HEADS, NETWORK, BLOCK):
        with pytest.raises(StudentError, match="not defined"):
            assert_own(submission, name)
