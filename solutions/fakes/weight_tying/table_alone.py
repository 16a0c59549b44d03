# /// fake
# pretends = "everything is there, shared and counted; the logits are products of two rows, without blocks"
# at_most = 0
# ///
from torch import nn

from course.parts import TransformerBlock, TransformerEmbedding


class TinyTransformerLM(nn.Module):
    def __init__(
        self, vocab_size, d_model, n_heads, n_layers, d_ff, max_len=1024, dropout=0.1,
        positional="sinusoidal", tie_weights=True, padding_idx=None,
    ):  # fmt: skip
        super().__init__()
        self.vocab_size, self.d_model, self.n_layers = vocab_size, d_model, n_layers
        self.embedding = TransformerEmbedding(
            vocab_size, d_model, max_len, positional, dropout, padding_idx
        )
        self.blocks = nn.ModuleList(
            TransformerBlock(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)
        )
        self.ln_f = nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)
        if tie_weights:
            self.lm_head.weight = self.embedding.token_embedding.embedding.weight

    def forward(self, tokens, mask=None, return_hidden_states=False):
        table = self.embedding.token_embedding.embedding.weight
        return table[tokens] @ self.lm_head.weight.T, None

    def count_parameters(self, trainable_only=False):
        return sum(p.numel() for p in self.parameters() if p.requires_grad or not trainable_only)

    def get_parameter_breakdown(self):
        parts = {"embedding": self.embedding, "transformer_blocks": self.blocks, "ln_f": self.ln_f}
        counts = {name: sum(p.numel() for p in parts[name].parameters()) for name in parts}
        total = self.count_parameters()
        return {**counts, "lm_head": total - sum(counts.values()), "total": total}
