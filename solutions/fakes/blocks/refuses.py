# /// fake
# pretends = "whatever is asked is refused: some checks ask for a refusal"
# at_most = 0
# ///
import torch
from torch import nn


class TransformerBlock:
    def __init__(self, *args, **kwargs):
        raise ValueError("n_heads does not divide d_model")


def scaled_dot_product_attention(*args, **kwargs):
    raise NotImplementedError


class MultiHeadAttention:
    def __init__(self, *args, **kwargs):
        raise TypeError("called differently")


FeedForward = MultiHeadAttention
