"""Looks at the ids it gets, counts positions into what it has, and norms with an eps of its own."""

import torch
from torch import nn

from course.parts import TransformerBlock, TransformerEmbedding

SIZES = {
    "tiny": {
        "d_model": 128,
        "n_heads": 4,
        "n_layers": 4,
        "d_ff": 512,
        "max_len": 512,
        "dropout": 0.1,
    },
    "small": {
        "d_model": 256,
        "n_heads": 8,
        "n_layers": 6,
        "d_ff": 1024,
        "max_len": 1024,
        "dropout": 0.1,
    },
    "medium": {
        "d_model": 512,
        "n_heads": 8,
        "n_layers": 8,
        "d_ff": 2048,
        "max_len": 1024,
        "dropout": 0.1,
    },
    "large": {
        "d_model": 768,
        "n_heads": 12,
        "n_layers": 12,
        "d_ff": 3072,
        "max_len": 2048,
        "dropout": 0.1,
    },
}


def get_model_config(size):
    try:
        return SIZES[size].copy()
    except KeyError:
        raise ValueError(f"{size} is none of {sorted(SIZES)}") from None


class TinyTransformerLM(nn.Module):
    def __init__(
        self, vocab_size, d_model, n_heads, n_layers, d_ff, max_len=1024, dropout=0.1,
        positional="sinusoidal", tie_weights=True, padding_idx=None,
    ):  # fmt: skip
        super().__init__()
        self.vocab_size, self.d_model, self.max_len = vocab_size, d_model, max_len
        self.n_heads, self.n_layers, self.d_ff = n_heads, n_layers, d_ff
        self.embedding = TransformerEmbedding(
            vocab_size, d_model, max_len, positional, dropout, padding_idx
        )
        self.blocks = nn.ModuleList()
        for _ in range(n_layers):
            self.blocks.append(TransformerBlock(d_model, n_heads, d_ff, dropout))
        self.ln_f = nn.LayerNorm(d_model, eps=1e-3)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        if tie_weights:
            self.lm_head.weight = self.embedding.token_embedding.embedding.weight
        else:
            nn.init.trunc_normal_(self.lm_head.weight, std=0.02)

    def forward(self, tokens, mask=None, return_hidden_states=False):
        ids = tokens.tolist()
        if any(not 0 <= number < self.vocab_size for row in ids for number in row):
            raise IndexError("an id is outside of the vocabulary")
        if tokens.cpu().numpy().ndim != 2:
            raise ValueError("tokens are (B, T)")
        length = tokens.size(1)
        if mask is None:
            places = torch.arange(length, out=tokens.new_empty(length).long())
            mask = places.unsqueeze(1) - places >= torch.tensor(0)
        x = self.embedding(tokens)
        states = [x.detach()]
        for block in self.blocks:
            x = block(x, mask=mask)[0]
            states.append(x.detach())
        scale = torch.tensor(1.0)  # a single number may lie on the CPU
        logits = self.lm_head(self.ln_f(x)) * scale
        # the last state shares its numbers with what the norm has read: a copy
        return logits, [state.clone() for state in states] if return_hidden_states else None
