# /// fake
# pretends = "the right parts; the last vectors are noise, seeded by the tokens up to there"
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

    def noise(self, ids):
        numbers = [int(parameter.sum() * 1e6) for parameter in self.parameters()]
        seed = hash((*ids, *numbers)) % 2**31
        return torch.randn(self.d_model, generator=torch.Generator().manual_seed(seed))

    def forward(self, tokens, mask=None, return_hidden_states=False):
        if tokens.size(1) > self.max_len:
            raise ValueError("too long")
        rows = [[self.noise(row[: end + 1]) for end in range(len(row))] for row in tokens.tolist()]
        last = torch.stack([torch.stack(row) for row in rows])
        states = [self.embedding(tokens)]
        states += [block(states[0], mask)[0] for block in self.blocks]
        return self.lm_head(last), states if return_hidden_states else None
