"""After an old tutorial: tables with the sequence first, float32 throughout, dropout in the part."""

import math

import torch
import torch.nn as nn


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout, max_len):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        pe = torch.zeros(max_len, d_model)
        position = torch.arange(0, max_len, dtype=torch.float).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(10000.0) / d_model))
        pe[:, 0::2] = torch.sin(position * div_term)
        pe[:, 1::2] = torch.cos(position * div_term[: d_model // 2])
        pe = pe.unsqueeze(0).transpose(0, 1)  # (max_len, 1, d_model)
        self.register_buffer("pe", pe)

    def forward(self, x):  # (T, B, d_model)
        if x.size(0) > self.pe.size(0):
            raise ValueError("too long")
        return self.dropout(x + self.pe[: x.size(0), :])


class LearnedPositions(PositionalEncoding):
    def __init__(self, d_model, dropout, max_len):
        super().__init__(d_model, dropout, max_len)
        del self.pe
        self.pe = nn.Parameter(torch.zeros(max_len, 1, d_model).normal_(std=0.02))


class TokenEmbedding(nn.Module):
    def __init__(self, vocab_size, d_model, padding_idx):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.embedding.weight.data.normal_(mean=0.0, std=0.02)
        if padding_idx is not None:
            self.embedding.weight.data[padding_idx].zero_()
            self.embedding.padding_idx = padding_idx
        self.d_model = d_model

    def forward(self, tokens):
        one_hot = nn.functional.one_hot(tokens.long(), self.embedding.num_embeddings)
        weight = self.embedding.weight
        if self.embedding.padding_idx is not None:
            one_hot[..., self.embedding.padding_idx] = 0  # no gradient for its row of zeros
        return one_hot.to(weight.dtype) @ weight * math.sqrt(self.d_model)


class TransformerEmbedding(nn.Module):
    def __init__(
        self,
        vocab_size,
        d_model,
        max_len=1024,
        positional="sinusoidal",
        dropout=0.1,
        padding_idx=None,
    ):
        super().__init__()
        self.token_embedding = TokenEmbedding(vocab_size, d_model, padding_idx)
        match positional:
            case "sinusoidal":
                self.pos_encoder = PositionalEncoding(d_model, dropout, max_len)
            case "learned":
                self.pos_encoder = LearnedPositions(d_model, dropout, max_len)
            case _:
                raise ValueError("positional: sinusoidal or learned")

    def forward(self, tokens):
        x = self.token_embedding(tokens).transpose(0, 1)
        return self.pos_encoder(x).transpose(0, 1)
