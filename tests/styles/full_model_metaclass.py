"""Tied after construction by a metaclass, blocks in a Sequential, parts called functionally."""

import math

import torch
from torch import nn
from torch.func import functional_call

from course.parts import *  # noqa: F403

WIDTHS = {"tiny": 128, "small": 256, "medium": 512, "large": 768}
HEADS_LAYERS_LENGTHS = {
    "tiny": (4, 4, 512), "small": (8, 6, 1024), "medium": (8, 8, 1024), "large": (12, 12, 2048)
}  # fmt: skip


def get_model_config(size="small"):
    if size not in WIDTHS:
        raise ValueError(f"no size {size!r}")
    sizes = dict(zip(("n_heads", "n_layers", "max_len"), HEADS_LAYERS_LENGTHS[size], strict=True))
    return {"d_model": WIDTHS[size], "d_ff": 4 * WIDTHS[size], "dropout": 0.1, **sizes}


class Finished(type):
    def __call__(cls, *args, **kwargs):
        model = super().__call__(*args, **kwargs)
        model.finish()
        return model


class TinyTransformerLM(nn.Module, metaclass=Finished):
    seen = None  # the largest causal mask so far: neither a buffer nor a parameter

    def __init__(
        self, vocab_size, d_model, n_heads, n_layers, d_ff, max_len=1024, dropout=0.1,
        positional="sinusoidal", tie_weights=True, padding_idx=None,
    ):  # fmt: skip
        super().__init__()
        for name, value in locals().items():
            if isinstance(value, (int, type(None))):
                setattr(self, name, value)
        self.ln_f = nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        self.blocks = nn.Sequential(
            *(TransformerBlock(d_model, n_heads, d_ff, dropout) for _ in range(n_layers))  # noqa: F405
        )
        self.embedding = TransformerEmbedding(  # noqa: F405
            vocab_size, d_model, max_len, positional, dropout, padding_idx
        )

    def finish(self):
        if self.tie_weights:
            self.lm_head.weight = self.embedding.token_embedding.embedding.weight
        else:
            self.lm_head.weight.data.copy_(torch.randn(self.vocab_size, self.d_model) * 0.02)

    def causal(self, length, device):
        if self.seen is None or self.seen.size(0) < length or self.seen.device != device:
            self.seen = torch.full((length, length), -math.inf, device=device).triu(1)
        return self.seen[:length, :length]

    def forward(self, tokens, mask=None, return_hidden_states=False):
        if mask is None:
            mask = self.causal(tokens.size(1), tokens.device)
        x = functional_call(self.embedding, dict(self.embedding.named_parameters()), tokens)
        states = (x,)
        for block in self.blocks:
            x, *_ = functional_call(block, dict(block.named_parameters()), (x, mask))
            states += (x,)
        logits = self.ln_f(x) @ self.lm_head.weight.T
        return logits, states if return_hidden_states else None
