"""A table from NumPy, a dataclass of settings, ids that are validated, one module for it all."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn


@dataclass(frozen=True)
class Settings:
    vocab_size: int
    d_model: int
    max_len: int
    positional: str
    dropout: float
    padding_idx: int | None

    def __post_init__(self):
        if self.positional not in {"sinusoidal", "learned"}:
            raise ValueError(f"unknown positional encoding {self.positional}")


def wave_table(length: int, width: int) -> np.ndarray:
    table = np.empty((length, width))
    for column in range(width):
        angle = np.arange(length) / np.power(10_000, (column - column % 2) / width)
        table[:, column] = np.cos(angle) if column % 2 else np.sin(angle)
    return table


class TokenEmbedding(nn.Module):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.embedding = nn.Embedding(
            settings.vocab_size, settings.d_model, settings.padding_idx, sparse=True
        )
        with torch.no_grad():
            self.embedding.weight.normal_(0, 0.02)
            if settings.padding_idx is not None:
                self.embedding.weight[settings.padding_idx].fill_(0)
        self.register_buffer("scale", torch.tensor(float(settings.d_model)).sqrt())


class TransformerEmbedding(nn.Module):
    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        max_len: int = 1024,
        positional: str = "sinusoidal",
        dropout: float = 0.1,
        padding_idx: int | None = None,
        *,
        validate: bool = True,
    ) -> None:
        super().__init__()
        self.settings = Settings(vocab_size, d_model, max_len, positional, dropout, padding_idx)
        self.validate = validate
        self.token_embedding = TokenEmbedding(self.settings)
        if positional == "learned":
            self.position_embedding = nn.Embedding(max_len, d_model)
            nn.init.trunc_normal_(self.position_embedding.weight, std=0.02)
            self.register_buffer("position_ids", torch.arange(max_len)[None])
        else:
            table = torch.from_numpy(wave_table(max_len, d_model)).float()
            self.register_buffer("pe", table[None])  # (1, max_len, d_model), saved with the rest
        self.drop = nn.Dropout(dropout, inplace=True)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        batch, length = tokens.shape
        if length > self.settings.max_len:
            raise IndexError(f"{length} tokens, at most {self.settings.max_len}")
        if self.validate and int(tokens.max()) >= self.settings.vocab_size:
            raise ValueError("an id is outside the vocabulary")
        part = self.token_embedding
        x = part.embedding(tokens.reshape(-1)).view(batch, length, -1) * part.scale
        if self.settings.positional == "learned":
            return self.drop(x.add_(self.position_embedding(self.position_ids[:, :length])))
        return self.drop(x.add_(self.pe[:, :length, :]))
