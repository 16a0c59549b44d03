"""Blocks of its own, which take more than others and start as nothing."""

# made from full_model_subclass

import torch
from torch import nn

from course.parts import TransformerBlock, TransformerEmbedding

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


class OwnBlock(TransformerBlock):
    def __init__(self, *sizes, **options):
        super().__init__(*sizes, **options)
        for last in (self.layer.self_attn.out_proj, self.layer.linear2):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, x, mask=None, return_attention=False, *, deep=False):
        return super().forward(x, mask, return_attention)


class Blocks(nn.ModuleList):
    def states(self, x, mask):
        yield x
        for block in self:
            x, _ = block(x, mask=mask, deep=True)
            yield x


class Skeleton(nn.Module):
    def __init__(
        self, vocab_size, d_model, n_heads, n_layers, d_ff, max_len=1024, dropout=0.1,
        positional="sinusoidal", **where,
    ):  # fmt: skip
        super().__init__()
        self.vocab_size, self.d_model, self.max_len = vocab_size, d_model, max_len
        self.n_heads, self.n_layers, self.d_ff = n_heads, n_layers, d_ff
        self.embedding = TransformerEmbedding(
            vocab_size, d_model, max_len, positional, dropout=dropout, **where
        )
        self.blocks = Blocks()
        while len(self.blocks) < n_layers:
            self.blocks.append(OwnBlock(d_model, n_heads, d_ff, dropout=dropout))
        self.ln_f = nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        self.lm_head.weight.data.normal_(std=0.02)


class TinyTransformerLM(Skeleton):
    def __init__(self, *args, tie_weights=True, padding_idx=None, **kwargs):
        *args, tie_weights, padding_idx = (*args, tie_weights, padding_idx)[:10]
        super().__init__(*args, padding_idx=padding_idx, **kwargs)
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
