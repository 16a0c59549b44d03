# /// fake
# pretends = "every logit, every state and every vector is noise of size 1"
# at_most = 0
# ///
import torch
from torch import nn

SIZE = 1


class Noise(nn.Module):
    """Gives noise of the shape of what comes in, with a last size of its own."""

    def __init__(self, width, heads=1, shape=(1,)):
        super().__init__()
        self.width, self.heads = width, heads
        self.weight = nn.Parameter(SIZE * torch.randn(shape))

    def forward(self, x, mask=None, return_attention=False):
        weights = SIZE * torch.randn(len(x), self.heads, x.size(1), x.size(1))
        noise = SIZE * torch.randn(*x.shape[:2], self.width)
        return (noise, weights if return_attention else None) if self.heads > 1 else noise


class TinyTransformerLM(nn.Module):
    def __init__(
        self, vocab_size, d_model, n_heads, n_layers, d_ff, max_len=1024, dropout=0.1,
        positional="sinusoidal", tie_weights=True, padding_idx=None,
    ):  # fmt: skip
        super().__init__()
        self.vocab_size, self.d_model, self.max_len = vocab_size, d_model, max_len
        self.n_heads, self.n_layers, self.d_ff = n_heads, n_layers, d_ff
        self.embedding = Noise(d_model)
        self.embedding.token_embedding = nn.Module()
        self.embedding.token_embedding.embedding = nn.Embedding(vocab_size, d_model, padding_idx)
        self.blocks = nn.ModuleList(Noise(d_model, n_heads, (d_ff,)) for _ in range(n_layers))
        self.ln_f = Noise(d_model)
        self.lm_head = Noise(vocab_size, shape=(vocab_size, d_model))

    def forward(self, tokens, mask=None, return_hidden_states=False):
        noise = torch.randn(self.n_layers + 1, *tokens.shape, self.d_model)
        logits = self.lm_head(noise[0])
        return logits, list(SIZE * noise) if return_hidden_states else None
