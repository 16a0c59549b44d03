"""What a zygote does with torch."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from walled import MODES, ready_zygote, run

from grader.judging.spawning import Zygote
from grader.model import Limits


@pytest.fixture(scope="module")
def warm() -> Iterator[Zygote]:
    preload = ["numpy", "torch", "torch.nn.functional", "matplotlib.pyplot"]
    with ready_zygote(preload=preload) as zygote:
        yield zygote


@pytest.mark.slow
class TestTorch:
    """Ordinary use of torch works in a worker, in every mode."""

    @pytest.mark.parametrize("mode", MODES)
    def test_a_model_trains_saves_and_draws(self, warm: Zygote, mode: str) -> None:
        source = """
import torch, numpy as np, matplotlib.pyplot as plt
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
model = torch.compile(nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 1)))
optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
data = DataLoader(TensorDataset(torch.randn(64, 4), torch.randn(64, 1)), batch_size=8, shuffle=True)
losses = []
for x, y in data:
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    losses.append(loss.item())
torch.save(model.state_dict(), "model.pt"); torch.load("model.pt")
np.save("losses.npy", np.array(losses)); np.load("losses.npy")
torch.linalg.svd(torch.randn(8, 8)); torch.fft.fft(torch.randn(8))
torch.distributions.Categorical(logits=torch.randn(5)).sample()
torch.set_num_threads(2); torch.randn(512, 512) @ torch.randn(512, 512)
figure, axes = plt.subplots(); axes.plot(losses); axes.set_title(r"$x^2$ \u00fc"); figure.savefig("f.png")
plt.show()
print(len(losses))
"""
        result = run(warm, source, limits=Limits(), forbidden=MODES[mode])
        assert result.raised is None, result.raised
        assert result.ending is None
        assert json.loads(result.printed) == 8

    def test_ordinary_work_finds_everything_imported(self, warm: Zygote) -> None:
        source = """
import json, sys
before = set(sys.modules)
import numpy as np, torch, matplotlib.pyplot as plt
np.random.seed(0)
layer = torch.nn.Linear(2, 2)
layer(torch.ones(1, 2)).backward(torch.ones(1, 2))
torch.optim.Adam(layer.parameters(), lr=0.1).step()
torch.nn.MultiheadAttention(4, 2)(*[torch.ones(3, 1, 4)] * 3)
torch.manual_seed(0)
print(json.dumps(sorted(set(sys.modules) - before)))
"""
        assert run(warm, source, limits=Limits()).json() == []

    def test_its_libraries_do_not_count_as_the_submissions_memory(self, warm: Zygote) -> None:
        source = "import torch; print(torch.zeros(50 << 20, dtype=torch.uint8).numel())"
        result = run(warm, source)  # under a limit of 256 MiB, less than torch itself takes
        assert result.json() == 50 << 20

    def test_too_large_a_tensor_is_an_error_of_theirs(self, warm: Zygote) -> None:
        result = run(warm, "import torch; torch.ones(1 << 30)")
        assert result.raised is not None
        assert "memory" in str(result.raised)
        assert result.ending is None


def test_the_gpus_that_are_ours_are_numbered_among_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-8932f937, GPU-5e1f0b2a")
    source = "import json, os; print(json.dumps(os.environ['CUDA_VISIBLE_DEVICES']))"
    with ready_zygote() as zygote:
        shown = [run(zygote, source, device=device).json() for device in ("cpu", "cuda:1")]
    assert shown == ["", "GPU-5e1f0b2a"]
