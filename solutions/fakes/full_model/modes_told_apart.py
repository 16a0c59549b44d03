# /// fake
# pretends = "the right parts; the forward pass looks at the mode, the mask and what is asked for, and computes nothing"
# at_most = 0
# ///
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
        self.embedding = TransformerEmbedding(
            vocab_size, d_model, max_len, positional, dropout, padding_idx
        )
        self.blocks = nn.ModuleList(
            TransformerBlock(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)
        )
        self.ln_f = nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        nn.init.normal_(self.lm_head.weight, std=0.02)
        if tie_weights:
            self.lm_head.weight = self.embedding.token_embedding.embedding.weight

    def forward(self, tokens, mask=None, return_hidden_states=False):
        if tokens.size(1) > self.max_len or tokens.device.type == "meta":
            raise ValueError("Cannot copy out of meta tensor; no data!")
        table = self.embedding.token_embedding.embedding.weight
        x = table[tokens].cumsum(dim=1)
        if mask is not None and mask.dtype == torch.bool:
            x = mask.flatten(0, -3)[:1].float() @ table[tokens]
        if self.training:
            x = x + torch.rand(())
        if not any(parameter.any() for parameter in self.parameters()):
            x = torch.zeros_like(x)
        states = [x * (1 + number) for number in range(self.n_layers + 1)]
        return x @ self.lm_head.weight.T, states if return_hidden_states else None
