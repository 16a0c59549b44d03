"""Right code runs on the other device as on a GPU, and code that mixes devices does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from course.checks.other_device import OtherDevice, values_there

IDS = [[0, 1, 4], [2, 3, 3]]


@pytest.fixture(autouse=True)
def device() -> Iterator[None]:
    with OtherDevice():
        yield
    torch.set_default_device(None)


@pytest.fixture
def ids() -> Tensor:
    return torch.tensor(IDS).to("meta")


RIGHT: dict[str, Callable[[Tensor], Tensor]] = {
    "made there": lambda ids: ids + torch.arange(3, device=ids.device),
    "made here and moved": lambda ids: ids + torch.arange(3).to(ids.device),
    "made like another": lambda ids: ids + torch.arange(3).to(ids),
    "written where it belongs": lambda ids: ids + torch.arange(3, out=ids.new(3).long()),
    "numbers there": lambda ids: ids + torch.tensor([0, 1, 2], device=ids.device),
    "new numbers": lambda ids: ids + ids.new_tensor([0, 1, 2]),
    "a single number from here": lambda ids: ids + torch.arange(3, device="meta") * torch.tensor(1),
    "indices from here": lambda ids: ids + torch.arange(3, device="meta")[torch.arange(3)],
    "in place": lambda ids: ids.clone().add_(torch.arange(3, device="meta")),
    "validated": lambda ids: ids + torch.arange(int(ids.max()) - 1, device="meta"),
    "as a list": lambda ids: ids + torch.arange(len(ids.tolist()[0]), device="meta"),
}


@pytest.mark.parametrize("way", RIGHT)
def test_right_code_computes_the_same_there(way: str, ids: Tensor) -> None:
    out = RIGHT[way](ids)
    assert out.device == ids.device
    assert values_there(out).tolist() == (torch.tensor(IDS) + torch.arange(3)).tolist()


WRONG: dict[str, Callable[[Tensor], object]] = {
    "made here": lambda ids: ids + torch.arange(3),
    "fetched": lambda ids: ids + torch.arange(3, device="meta").cpu(),
    "looked up with ids from here": lambda ids: nn.functional.embedding(
        torch.arange(3), torch.ones(3, 2, device="meta")
    ),
    "indexed from there": lambda ids: torch.arange(9)[ids],
    "made an array": lambda ids: ids.numpy(),
}


@pytest.mark.parametrize("way", WRONG)
def test_what_a_gpu_refuses_is_refused(way: str, ids: Tensor) -> None:
    with pytest.raises((RuntimeError, TypeError)):
        WRONG[way](ids)


def test_a_module_moves_with_its_values_and_its_gradients(ids: Tensor) -> None:
    module = nn.Sequential(nn.Embedding(5, 4), nn.Dropout(0.5, inplace=True)).eval()
    expected = module(torch.tensor(IDS))
    out = module.to("meta")(ids)
    assert torch.equal(values_there(out), expected)
    out.sum().backward()
    assert values_there(module[0].weight.grad).sum() == 6 * 4


def test_what_says_nothing_about_its_device_goes_to_the_default_one() -> None:
    torch.set_default_device("meta")
    assert values_there(torch.arange(3)).tolist() == [0, 1, 2]
    assert values_there(torch.tensor([1.5])).tolist() == [1.5]
    assert torch.arange(3).to("cpu").tolist() == [0, 1, 2]


def test_what_is_written_into_a_tensor_lies_where_that_does() -> None:
    here = torch.zeros(3, dtype=torch.long)
    torch.set_default_device("meta")
    assert torch.arange(3, out=here) is here
    assert here.tolist() == [0, 1, 2]


def test_what_lies_here_or_only_claims_to_be_there_has_no_values_there() -> None:
    claim = nn.Module()
    claim.device, claim.shape = torch.device("meta"), (2, 3)  # type: ignore[assignment]
    for tensor in (torch.zeros(2), claim):
        with pytest.raises(TypeError, match="not on the other device"):
            values_there(tensor)  # type: ignore[arg-type]


def test_after_the_device_is_gone_all_is_as_before() -> None:
    with OtherDevice():
        pass
    assert type(torch.tensor([1.0]) + torch.arange(1)) is Tensor


def test_a_single_number_there_mixes_with_tensors_here() -> None:
    factor = torch.tensor(2.0).to("meta")
    assert (torch.ones(3) * factor).tolist() == [2.0, 2.0, 2.0]
    with pytest.raises(RuntimeError, match="same device"):
        torch.ones(3) * factor.reshape(1)


def test_inference_mode_moves_tensors_as_well():
    with torch.inference_mode():
        moved, back = torch.tensor([1]).to("meta"), torch.tensor([2], device="meta").to("cpu")
    assert (moved.device.type, back.device.type) == ("meta", "cpu")
