"""The whole model anew; the head owns the shared weight; counts by identity and by name."""

import collections

import torch
from torch import nn

from course.parts import TransformerBlock, TransformerEmbedding


class TinyTransformerLM(nn.Module):
    def __init__(
        self, vocab_size, d_model, n_heads, n_layers, d_ff, max_len=1024, dropout=0.1,
        positional="sinusoidal", tie_weights=True, padding_idx=None,
    ):  # fmt: skip
        super().__init__()
        self.vocab_size, self.d_model, self.max_len = vocab_size, d_model, max_len
        self.n_heads, self.n_layers, self.d_ff = n_heads, n_layers, d_ff
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        self.embedding = TransformerEmbedding(
            vocab_size, d_model, max_len, positional, dropout, padding_idx
        )
        self.blocks = nn.ModuleList(
            [TransformerBlock(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)]
        )
        self.ln_f = nn.LayerNorm(d_model)
        table = self.embedding.token_embedding["embedding"]
        with torch.no_grad():
            self.lm_head.weight.copy_(
                table.weight if tie_weights else torch.randn_like(table.weight) / 50
            )
        if tie_weights:
            table.weight = self.lm_head.weight

    def forward(self, tokens, mask=None, return_hidden_states=False):
        if mask is None:
            mask = torch.ones(tokens.size(1), tokens.size(1), device=tokens.device).tril().bool()
        states = [self.embedding(tokens)]
        for block in self.blocks:
            states.append(block(states[-1], mask)[0])
        return self.lm_head(self.ln_f(states[-1])), states if return_hidden_states else None

    def count_parameters(self, trainable_only=False):
        unique = {id(p): p for p in self.parameters()}
        return sum(p.nelement() for p in unique.values() if not trainable_only or p.requires_grad)

    def get_parameter_breakdown(self):
        part_of = {"embedding": "embedding", "blocks": "transformer_blocks"}
        tied = self.lm_head.weight is self.embedding.token_embedding.embedding.weight
        counts = collections.OrderedDict.fromkeys(
            ("embedding", "transformer_blocks", "ln_f", "lm_head"), 0
        )
        for name, parameter in self.named_parameters(remove_duplicate=False):
            part = name.split(".")[0]
            if not (tied and part == "lm_head"):
                counts[part_of.get(part, part)] += parameter.shape.numel()
        counts["total"] = sum(counts.values())
        return dict(counts)
