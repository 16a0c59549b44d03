# /// fake
# pretends = "two names for one parameter; the logits are products of its rows with the sum of those so far"
# at_most = 0
# ///
from torch import nn


class TinyTransformerLM(nn.Module):
    def __init__(
        self, vocab_size, d_model, n_heads, n_layers, d_ff, max_len=1024, dropout=0.1,
        positional="sinusoidal", tie_weights=True, padding_idx=None,
    ):  # fmt: skip
        super().__init__()
        self.embedding = nn.Module()
        self.embedding.token_embedding = nn.Module()
        self.embedding.token_embedding.embedding = nn.Embedding(vocab_size, d_model, padding_idx)
        self.blocks, self.ln_f = nn.ModuleList(), nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        if tie_weights:
            self.lm_head.weight = self.embedding.token_embedding.embedding.weight

    def forward(self, tokens, mask=None, return_hidden_states=False):
        sums = self.embedding.token_embedding.embedding(tokens).cumsum(dim=1)
        return self.lm_head(self.ln_f(sums)), None

    def count_parameters(self, trainable_only=False):
        return sum(p.numel() for p in self.parameters() if p.requires_grad or not trainable_only)

    def get_parameter_breakdown(self):
        parts = {"embedding": self.embedding, "transformer_blocks": self.blocks, "ln_f": self.ln_f}
        counts = {name: sum(p.numel() for p in parts[name].parameters()) for name in parts}
        total = self.count_parameters()
        return {**counts, "lm_head": total - sum(counts.values()), "total": total}
