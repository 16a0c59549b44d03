"""A mask buffer made once, a look at the tokens' values, deep-copied blocks, GPT-2's first values."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from course.parts import TransformerBlock, TransformerEmbedding


@dataclass(frozen=True)
class Config:
    d_model: int
    n_heads: int
    n_layers: int
    d_ff: int
    max_len: int = 1024
    dropout: float = 0.1


def get_model_config(size: str):
    match size:
        case "tiny":
            config = Config(128, 4, 4, 512, 512)
        case "small":
            config = Config(256, 8, 6, 1024)
        case "medium":
            config = Config(512, 8, 8, 2048)
        case "large":
            config = Config(768, 12, 12, 3072, 2048)
        case _:
            raise ValueError(size)
    return asdict(config)


class TinyTransformerLM(nn.Module):
    allowed: Tensor

    def __init__(self, vocab_size, d_model, n_heads, n_layers, d_ff, *args, **kwargs):
        super().__init__()
        names = ("max_len", "dropout", "positional", "tie_weights", "padding_idx")
        given = {
            "max_len": 1024, "dropout": 0.1, "positional": "sinusoidal", "tie_weights": True,
            "padding_idx": None, **dict(zip(names, args, strict=False)), **kwargs,
        }  # fmt: skip
        self.vocab_size, self.d_model = vocab_size, d_model
        self.n_heads, self.n_layers, self.d_ff = n_heads, n_layers, d_ff
        self.max_len = max_len = given["max_len"]
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        self.ln_f = nn.LayerNorm(d_model, eps=1e-6)
        prototype = TransformerBlock(d_model, n_heads, d_ff, dropout=given["dropout"])
        self.blocks = nn.ModuleList([copy.deepcopy(prototype) for _ in range(n_layers)])
        self.embedding = TransformerEmbedding(
            vocab_size=vocab_size, d_model=d_model, max_len=max_len, positional=given["positional"],
            dropout=given["dropout"], padding_idx=given["padding_idx"],
        )  # fmt: skip
        self.register_buffer(
            "allowed", torch.ones(1, 1, max_len, max_len).tril() > 0, persistent=False
        )
        nn.init.normal_(self.lm_head.weight, 0, 0.02)
        for name, parameter in self.blocks.named_parameters():  # as GPT-2 does
            if parameter.dim() > 1:
                nn.init.normal_(
                    parameter, 0, 0.02 if "linear2" not in name else 0.02 / n_layers**0.5
                )
        if given["tie_weights"]:
            if given["padding_idx"] is not None:
                self.lm_head.weight.data[given["padding_idx"]] = 0
            self.embedding.token_embedding.embedding.weight = self.lm_head.weight

    def forward(self, tokens, mask=None, return_hidden_states=False):
        batch, length = tokens.shape
        if length > self.max_len or (tokens >= self.vocab_size).any():
            raise ValueError(f"bad tokens of shape {batch, length}")
        if mask is None:
            mask = self.allowed[:, :, :length, :length]
        hidden = [self.embedding(tokens)]
        for layer in range(self.n_layers):
            hidden.append(self.blocks[layer](hidden[layer], mask)[0])
        return self.lm_head(self.ln_f(hidden[-1])), hidden if return_hidden_states else None
