# /// fake
# pretends = "whatever is asked is refused, in words that a check might forgive"
# at_most = 0
# ///
from torch import nn


def get_model_config(size):
    raise ValueError(size)


class TinyTransformerLM(nn.Module):
    def __init__(self, *sizes, **more):
        super().__init__()

    def __getattr__(self, name):
        if name in ("blocks", "parameters"):
            return []
        raise ValueError("Cannot copy out of meta tensor; no data! Tensor.item() cannot be called")

    def forward(self, *given, **more):
        raise ValueError("Cannot copy out of meta tensor; no data! Tensor.item() cannot be called")
