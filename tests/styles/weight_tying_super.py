"""Ties by registering the table a second time; counts while walking."""

from __future__ import annotations

from torch import nn

import course.parts


class TinyTransformerLM(course.parts.FullModel):
    def __init__(self, vocab_size: int, d_model: int, n_heads: int, n_layers: int, d_ff: int,
                 max_len: int = 1024, dropout: float = 0.1, positional: str = "sinusoidal",
                 tie_weights: bool = True, padding_idx: int | None = None) -> None:  # fmt: skip
        super().__init__(
            vocab_size, d_model, n_heads, n_layers, d_ff, max_len, dropout, positional,
            tie_weights=False, padding_idx=padding_idx,
        )  # fmt: skip
        self.tied = bool(tie_weights)
        if self.tied:
            table = self.get_parameter("embedding.token_embedding.embedding.weight")
            head = nn.Linear(1, 1, bias=False)
            head.in_features, head.out_features = d_model, vocab_size
            head.register_parameter("weight", table)
            self.lm_head = head

    def _walk(self):
        seen: list[nn.Parameter] = []
        for name, module in (
            ("embedding", self.embedding), ("transformer_blocks", self.blocks),
            ("ln_f", self.ln_f), ("lm_head", self.lm_head),
        ):  # fmt: skip
            for parameter in module.parameters():
                if not any(parameter is other for other in seen):
                    seen.append(parameter)
                    yield name, parameter

    def count_parameters(self, trainable_only=False):
        count = 0
        for _, parameter in self._walk():
            if trainable_only and not parameter.requires_grad:
                continue
            count += parameter.numel()
        return count

    def get_parameter_breakdown(self):
        breakdown = {"embedding": 0, "transformer_blocks": 0, "ln_f": 0, "lm_head": 0, "total": 0}
        for name, parameter in self._walk():
            for key in (name, "total"):
                breakdown[key] += parameter.data.numel()
        return breakdown
