"""Inherits from the course's own model and overrides piece by piece; a generator of states."""

import torch
from torch import nn

from course.parts import TinyTransformerLM as Model

_ROWS = """
tiny 128 4 4 512 512
small 256 8 6 1024 1024
medium 512 8 8 2048 1024
large 768 12 12 3072 2048
"""


def get_model_config(size: str) -> dict:
    names = ["d_model", "n_heads", "n_layers", "d_ff", "max_len"]
    for line in _ROWS.split("\n"):
        name, *numbers = line.split() or [None]
        if name == size and numbers:
            return dict(zip(names, map(int, numbers), strict=True), dropout=0.1)
    raise ValueError(f"unknown size {size!r}")


class Blocks(nn.ModuleList):
    def states(self, x, mask):
        yield x
        for block in self:
            x, _ = block(x, mask=mask)
            yield x


class TinyTransformerLM(Model):
    def __init__(self, *args, tie_weights=True, **kwargs):
        super().__init__(*args, tie_weights=False, **kwargs)
        self.blocks = Blocks(self.blocks)
        if tie_weights:
            self.lm_head.weight = self.embedding.token_embedding.embedding.weight

    def causal(self, tokens):
        length = tokens.size(-1)
        if getattr(self, "_mask", None) is None or self._mask.size(0) < length:
            self._mask = ~torch.triu(torch.ones(length, length), diagonal=1).bool()
        return self._mask[:length, :length].to(tokens.device)

    def forward(self, tokens, mask=None, return_hidden_states=False):
        mask = self.causal(tokens) if mask is None else mask
        states = list(self.blocks.states(self.embedding(tokens), mask))
        logits = self.lm_head(self.ln_f(states[-1]))
        if not return_hidden_states:
            states = None
        return logits, states
