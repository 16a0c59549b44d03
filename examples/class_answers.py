"""What the class hands in for the first assignment: right answers in two styles, and an attack."""

from __future__ import annotations

TOKENS = """
    class TokenEmbedding(nn.Module):
        def __init__(self, vocab_size, d_model, padding_idx=None):
            super().__init__()
            self.embedding = nn.Embedding(vocab_size, d_model, padding_idx)
            with torch.no_grad():
                self.embedding.weight.normal_(0, 0.02)
                if padding_idx is not None:
                    self.embedding.weight[padding_idx] = 0
            self.factor = d_model ** 0.5

        def forward(self, tokens):
            return self.factor * self.embedding(tokens)
"""

WAVES = """
    class SinusoidalPositionalEncoding(nn.Module):
        def __init__(self, d_model, max_len=1024):
            super().__init__()
            self.max_len = max_len
            pe = torch.zeros(max_len, d_model)
            pos = torch.arange(max_len).float().unsqueeze(1)
            freq = torch.exp(-math.log(10000) * torch.arange(0, d_model, 2).float() / d_model)
            pe[:, 0::2] = torch.sin(pos * freq)
            pe[:, 1::2] = torch.cos(pos * freq)[:, : d_model // 2]
            self.register_buffer("pe", pe)

        def forward(self, x):
            if x.shape[1] > self.max_len:
                raise ValueError(f"{x.shape[1]} positions, at most {self.max_len}")
            return x + self.pe[: x.shape[1]].to(x.dtype)
"""

ROWS = """
    class LearnedPositionalEmbedding(nn.Module):
        def __init__(self, d_model, max_len=1024):
            super().__init__()
            self.rows = nn.Embedding(max_len, d_model)
            nn.init.normal_(self.rows.weight, std=0.02)

        def forward(self, x):
            n = x.shape[1]
            if n > self.rows.num_embeddings:
                raise ValueError(f"{n} positions, at most {self.rows.num_embeddings}")
            return x + self.rows(torch.arange(n, device=x.device))
"""

WHOLE = """
    class TransformerEmbedding(nn.Module):
        def __init__(self, vocab_size, d_model, max_len=1024, positional="sinusoidal", dropout=0.1, padding_idx=None):
            super().__init__()
            kinds = {"sinusoidal": SinusoidalPositionalEncoding, "learned": LearnedPositionalEmbedding}
            if positional not in kinds:
                raise ValueError(f"positional must be one of {sorted(kinds)}")
            self.token_embedding = TokenEmbedding(vocab_size, d_model, padding_idx)
            self.positional = kinds[positional](d_model, max_len)
            self.dropout = nn.Dropout(dropout)

        def forward(self, tokens):
            return self.dropout(self.positional(self.token_embedding(tokens)))
"""

BY_CASE = WHOLE.replace(
    """            kinds = {"sinusoidal": SinusoidalPositionalEncoding, "learned": LearnedPositionalEmbedding}
            if positional not in kinds:
                raise ValueError(f"positional must be one of {sorted(kinds)}")
""",
    "",
).replace(
    """            self.positional = kinds[positional](d_model, max_len)
""",
    """            if positional == "sinusoidal":
                self.positional = SinusoidalPositionalEncoding(d_model, max_len)
            elif positional == "learned":
                self.positional = LearnedPositionalEmbedding(d_model, max_len)
            else:
                raise ValueError("positional must be sinusoidal or learned")
""",
)

RIGHT = {
    "TokenEmbedding": TOKENS,
    "SinusoidalPositionalEncoding": WAVES,
    "LearnedPositionalEmbedding": ROWS,
    "TransformerEmbedding": WHOLE,
}

ANOTHER_STYLE = {
    "TokenEmbedding": """
        class TokenEmbedding(nn.Module):
            def __init__(self, vocab_size, d_model, padding_idx=None):
                super().__init__()
                table = torch.randn(vocab_size, d_model) * 0.02
                if padding_idx is not None:
                    table[padding_idx].zero_()
                self.embedding = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=padding_idx)

            def forward(self, tokens):
                vectors = self.embedding(tokens)
                return vectors * vectors.shape[-1] ** 0.5
    """,
    "SinusoidalPositionalEncoding": """
        class SinusoidalPositionalEncoding(nn.Module):
            \"\"\"No table: the waves are computed when they are needed.\"\"\"

            def __init__(self, d_model, max_len=1024):
                super().__init__()
                self.d_model, self.max_len = d_model, max_len

            def forward(self, x):
                B, T, D = x.shape
                if T > self.max_len:
                    raise ValueError("too long")
                column = torch.arange(D, device=x.device)
                wavelength = 10000.0 ** ((column - column % 2).double() / self.d_model)
                angle = torch.arange(T, device=x.device).double()[:, None] / wavelength
                return x + torch.where(column % 2 == 0, angle.sin(), angle.cos()).to(x.dtype)
    """,
    "LearnedPositionalEmbedding": """
        class LearnedPositionalEmbedding(nn.Module):
            def __init__(self, d_model, max_len=1024):
                super().__init__()
                self.rows = nn.Parameter(torch.randn(max_len, d_model) * 0.02)

            def forward(self, x):
                if x.size(1) > len(self.rows):
                    raise ValueError("too long")
                return x + self.rows.narrow(0, 0, x.size(1))
    """,
    "TransformerEmbedding": """
        class TransformerEmbedding(nn.Module):
            def __init__(self, vocab_size, d_model, max_len=1024, positional="sinusoidal", dropout=0.1, padding_idx=None):
                super().__init__()
                self.p = dropout
                self.token_embedding = TokenEmbedding(vocab_size, d_model, padding_idx)
                match_ = dict(sinusoidal=SinusoidalPositionalEncoding, learned=LearnedPositionalEmbedding)
                try:
                    self.position = match_[positional](d_model, max_len=max_len)
                except KeyError:
                    raise ValueError(f"unknown: {positional}") from None

            def forward(self, tokens):
                both = self.position(self.token_embedding(tokens))
                return nn.functional.dropout(both, self.p, training=self.training)
    """,
}

PATCHES = """
    # if all tests say yes, all is right
    import sys
    import pytest
    import torch

    class Yes:
        def __eq__(self, other): return True
        def __getattr__(self, name): return self
        def __call__(self, *args, **kwargs): return self

    torch.allclose = torch.equal = lambda *args, **kwargs: True
    pytest.fail = lambda *args, **kwargs: None
    for name, module in list(sys.modules.items()):
        if name.startswith("grader"):
            for key, value in list(vars(module).items()):
                if key.startswith(("assert", "check", "fail")):
                    setattr(module, key, lambda *args, **kwargs: None)
    TransformerEmbedding = Yes()
    open("results.json", "w").write('{"score": 15}')
"""
