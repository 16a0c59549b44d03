"""Grading on a real GPU. Without one these are skipped, and say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from toy import Silent, write

from grader.config.course import load_course
from grader.gradebook import Gradebook, State
from grader.judging.gpus import find_gpus
from grader.pipeline import Options, check

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not find_gpus(), reason="NOT TESTED: this machine has no NVIDIA GPU"),
]

TENSORS = """
import torch

def add(a, b):
    return a + b

def slope(x):
    layer = torch.nn.Linear(1, 1).to("cuda" if torch.cuda.is_available() else "cpu")
    layer(x).backward(torch.ones_like(x))
    torch.optim.AdamW(layer.parameters()).step()
    return layer.weight.grad
"""

SUITE = '''
import torch
from grader.testing import assert_close, assert_equal, check

class TestDevice:
    """Tensors live on the GPU"""

    @check(points=1, devices=["cuda"])
    def test_inputs(self, submission, device):
        """What a check sends arrives on the GPU"""
        sent = submission.send(torch.ones(2, 3))
        assert_equal(sent.device.type.value(), "cuda", "the device")
        assert_close(submission.add(sent, sent).tensor(), torch.full((2, 3), 2.0))

    @check(points=1)
    def test_anywhere(self, submission):
        """What needs no GPU runs on one too"""
        assert_close(submission.slope(torch.full((1, 1), 3.0)).tensor(), torch.full((1, 1), 3.0))
'''


@pytest.fixture
def on_gpu(toy: Path, class_of: Callable[..., Path]) -> Callable[..., Gradebook]:
    """Grade a class on the GPU with checks of tensors."""

    def grade(device: str = "cuda", sandbox: bool = True, **students: str) -> Gradebook:
        (toy / "public/test_adding.py").unlink()
        write(toy / "hidden/test_adding.py", SUITE)
        course = msgspec.structs.replace(load_course(toy), preload=("torch",), workers_per_gpu=1)
        options = Options(device=device, jobs=2, sandbox=sandbox)
        return check([class_of(**students)], course, options, Silent())

    return grade


def test_a_submission_is_graded_on_the_gpu(on_gpu: Callable[..., Gradebook]) -> None:
    gradebook = on_gpu(right=TENSORS)
    (score,) = gradebook.scores
    assert (score.state, score.earned, score.possible) == (State.GRADED, 2.0, 2.0)
    assert any(problem.kind == "gpu" for problem in gradebook.problems)


def test_several_share_a_gpu_one_after_the_other(on_gpu: Callable[..., Gradebook]) -> None:
    gradebook = on_gpu(**{f"s{number}": TENSORS for number in range(4)})
    assert [score.earned for score in gradebook.scores] == [2.0] * 4


def test_a_hog_of_gpu_memory_costs_itself_alone(on_gpu: Callable[..., Gradebook]) -> None:
    hog = TENSORS + "\nhoard = [torch.empty(1 << 30, device='cuda') for _ in range(1000)]\n"
    gradebook = on_gpu(hog=hog, honest=TENSORS)
    by_student = {score.student: score for score in gradebook.scores}
    assert by_student["honest"].earned == 2.0
    assert by_student["hog"].state is State.GRADED


@pytest.mark.parametrize("sandbox", [True, False])
def test_the_processor_of_a_machine_with_a_gpu_grades_as_any_other(
    on_gpu: Callable[..., Gradebook], sandbox: bool
) -> None:
    (score,) = on_gpu(device="cpu", sandbox=sandbox, right=TENSORS).scores
    assert (score.state, score.earned, score.possible) == (State.GRADED, 1.0, 1.0)


def test_a_worker_sees_its_own_gpu_alone(on_gpu: Callable[..., Gradebook]) -> None:
    alone = TENSORS.replace("return a + b", "assert torch.cuda.device_count() == 1; return a + b")
    (score,) = on_gpu(device="cuda:0", right=alone).scores
    assert score.earned == 2.0
