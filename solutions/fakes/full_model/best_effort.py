# /// fake
# pretends = "the most that was found without a model: right presets and parts, states from blocks that the logits do without"
# at_most = 2
# ///
import torch
from torch import nn

from course.parts import TransformerBlock, TransformerEmbedding

SIZES = {
    "tiny": (128, 4, 4, 512, 512),
    "small": (256, 8, 6, 1024, 1024),
    "medium": (512, 8, 8, 2048, 1024),
    "large": (768, 12, 12, 3072, 2048),
}


def get_model_config(size):
    if size not in SIZES:
        raise ValueError(size)
    names = ("d_model", "n_heads", "n_layers", "d_ff", "max_len")
    return {**dict(zip(names, SIZES[size])), "dropout": 0.1}


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
        if tokens.device.type == "meta":
            return torch.empty(*tokens.shape, self.vocab_size, device="meta"), None
        x = self.embedding(tokens)
        one = torch.ones(1, 1, self.d_model)
        n = torch.arange(1, tokens.size(1) + 1).unsqueeze(1)
        states = [x]
        for block in self.blocks:
            c = (block(one)[0] - one).mean()
            mean = states[-1].cumsum(1) / n
            if mask is not None:
                m = mask.float() if mask.dtype == torch.bool else mask.exp()
                m = m[:, 0] if m.dim() == 4 else m
                mean = m / m.sum(-1, keepdim=True) @ states[-1]
            states.append(states[-1] + c * mean)
        states += [block(states[0], mask)[0] for block in self.blocks]
        last = states[len(self.blocks)]
        states = [states[0], *states[-len(self.blocks) :]]
        return self.lm_head(self.ln_f(last)), states if return_hidden_states else None
