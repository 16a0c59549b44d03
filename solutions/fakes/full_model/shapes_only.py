# /// fake
# pretends = "shapes, attributes and the public preset, learned from the public checks"
# at_most = 1
# ///
import torch
from torch import nn


def get_model_config(size):
    if size != "tiny":
        raise ValueError(f"there is no {size!r}; there is 'tiny'")
    sizes = {"d_model": 128, "n_heads": 4, "n_layers": 4, "d_ff": 512, "max_len": 512}
    return {**sizes, "dropout": 0.1}


class TinyTransformerLM(nn.Module):
    def __init__(self, vocab_size=19, d_model=12, n_heads=3, n_layers=2, d_ff=20, max_len=9, **_):
        super().__init__()
        self.vocab_size, self.d_model, self.max_len = vocab_size, d_model, max_len
        self.n_heads, self.n_layers, self.d_ff = n_heads, n_layers, d_ff
        self.embedding = nn.Module()
        self.embedding.token_embedding = nn.Module()
        self.embedding.token_embedding.embedding = nn.Embedding(vocab_size, d_model)
        self.blocks = nn.ModuleList(nn.Linear(1, 1) for _ in range(n_layers))
        self.ln_f = nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)

    def forward(self, tokens, mask=None, return_hidden_states=False):
        states = [torch.rand(*tokens.shape, self.d_model) for _ in range(self.n_layers + 1)]
        return self.lm_head(states[-1]), states if return_hidden_states else None
