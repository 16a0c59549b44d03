# /// fake
# pretends = "every logit and every state is noise of size 1e-6"
# at_most = 20
# ///
import torch
from torch import nn


class TinyTransformerLM(nn.Module):
    def __init__(
        self,
        vocab_size,
        d_model=256,
        n_heads=8,
        n_layers=4,
        d_ff=1024,
        max_len=1024,
        dropout=0.1,
        positional="sinusoidal",
        padding_idx=None,
        tie_weights=True,
    ):
        super().__init__()
        self.vocab_size, self.d_model, self.n_layers = vocab_size, d_model, n_layers
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)

    def forward(self, tokens, mask=None, return_hidden_states=False):
        logits = 1e-6 * torch.randn(*tokens.shape, self.vocab_size)
        states = [1e-6 * torch.randn(*tokens.shape, self.d_model) for _ in range(self.n_layers + 1)]
        return logits, states if return_hidden_states else None
