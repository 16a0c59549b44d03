"""Ids are looked at before they are looked up, numbers stay on the CPU; a `forward` of its own."""

import math

import torch
from torch import nn

KINDS = {"sinusoidal", "learned"}


class Tokens(nn.Module):
    def __init__(self, vocab_size, d_model, padding_idx=None):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model, padding_idx)
        rows = torch.empty(vocab_size, d_model).normal_(std=0.02)
        if padding_idx is not None:
            rows[padding_idx].zero_()
        self.embedding.weight.data.copy_(rows)

    def forward(self, tokens):
        ids = [one for row in tokens.tolist() for one in row]
        if min(ids) < 0 or int(tokens.cpu().numpy().max()) >= self.embedding.num_embeddings:
            raise IndexError("there is no such token")
        if bool((tokens < 0).any()) or tokens.max().item() != max(ids):
            raise IndexError("there is no such token")
        factor = torch.tensor(math.sqrt(self.embedding.embedding_dim))
        return self.embedding(tokens) * factor  # a single number may be anywhere


def waves(d_model, max_len):
    place = torch.arange(max_len, dtype=torch.float64)[:, None]
    table = torch.zeros(max_len, d_model, dtype=torch.float64)
    frequency = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    table[:, 0::2] = torch.sin(place * frequency)
    table[:, 1::2] = torch.cos(place * frequency)[:, : d_model // 2]
    return table.float()


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
        if positional not in KINDS:
            raise ValueError(f"{positional} is not one of {KINDS}")
        self.token_embedding = Tokens(vocab_size, d_model, padding_idx)
        if positional == "learned":
            self.places = nn.Embedding(max_len, d_model)
            nn.init.normal_(self.places.weight, std=0.02)
        else:
            self.places = None
            self.register_buffer("waves", waves(d_model, max_len))
        self.max_len = max_len
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens):
        length = torch.tensor(tokens.shape[1]).item()
        if length > self.max_len:
            raise ValueError(f"{length} tokens are more than {self.max_len}")
        vectors = self.token_embedding(tokens)
        if self.places is None:
            return self.drop(vectors + self.waves[:length])
        places = torch.arange(length, out=tokens.new(length).long())
        return self.drop(vectors + self.places(places))
