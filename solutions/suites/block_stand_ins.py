"""What stands in for the unsolved parts of somebody's block, as text that runs beside them.

It is never handed out, and is no more than what later notebooks bring along: torch's own layers.
Importing this module lets it stand in.
"""

from course.checks.assembled_blocks import bring_stand_ins
from grader.testing import Handle, SubmissionNames

FAR_SIDE = """
import contextlib

import torch
import torch.nn.functional as F
from torch import nn


def softmax(scores, dim=-1, **others):
    return torch.softmax(scores, dim)


class LayerNorm(nn.Module):
    def __init__(self, d_model, eps=1e-5, bias=True, **others):
        nn.Module.__init__(self)  # no `super()`: other classes borrow this
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model)) if bias else None

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


def scaled_dot_product_attention(query, key, value, mask=None, dropout_p=0.0):
    one_hot = torch.eye(key.size(-2), dtype=key.dtype, device=key.device)
    one_hot = one_hot.expand(*key.shape[:-1], key.size(-2))
    weights = F.scaled_dot_product_attention(query, key, one_hot, attn_mask=mask)
    return F.dropout(weights, dropout_p) @ value, weights


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads, dropout=0.1, bias=True):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"{n_heads} heads for d_model = {d_model}")
        self.n_heads, self.rate = n_heads, dropout
        self.maps = nn.ModuleList(nn.Linear(d_model, d_model, bias=bias) for _ in range(4))

    def forward(self, query, key, value, mask=None):
        *inner, last = self.maps
        split = [
            each(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for each, x in zip(inner, (query, key, value))
        ]
        rate = self.rate if self.training else 0.0
        found, weights = scaled_dot_product_attention(*split, mask, rate)
        return last(found.transpose(1, 2).flatten(2)), weights


class FeedForward(nn.Sequential):
    def __init__(self, d_model, d_ff, dropout=0.1, bias=True):
        maps = nn.Linear(d_model, d_ff, bias=bias), nn.Linear(d_ff, d_model, bias=bias)
        super().__init__(maps[0], nn.GELU(), nn.Dropout(dropout), maps[1])


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(2))
        self.heads = MultiHeadAttention(d_model, n_heads, dropout, bias)
        self.network = FeedForward(d_model, d_ff, dropout, bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None, return_attention=False):
        normed = self.norms[0](x)
        found, weights = self.heads(normed, normed, normed, mask)
        x = x + self.dropout(found)
        x = x + self.dropout(self.network(self.norms[1](x)))
        return x, weights if return_attention else None


@contextlib.contextmanager
def methods_of(sound, own):
    '''Give a class the methods of another one, so that subclasses and aliases have them, too.'''
    if not (isinstance(own, type) and isinstance(sound, type)):
        yield
        return
    names = ("__init__", "forward")
    before = {name: vars(own)[name] for name in names if name in vars(own)}
    for name in names:
        setattr(own, name, vars(sound)[name])
    try:
        yield
    finally:
        for name in names:
            delattr(own, name)
        for name, method in before.items():
            setattr(own, name, method)


def using(make, scope, names):
    '''A function or maker of modules that finds these objects under global names.

    Modules find them whenever they run. A norm is also found by who holds the class otherwise.
    '''

    def within(function):
        def run(*args, **kwargs):
            own = {name: scope[name] for name in names if name in scope}
            scope.update(names)
            try:
                with methods_of(names.get("LayerNorm"), own.get("LayerNorm")):
                    return function(*args, **kwargs)
            finally:
                for name in names:
                    scope.pop(name, None)
                scope.update(own)
        return run

    def build(*args, **kwargs):
        module = within(make)(*args, **kwargs)
        module.forward = within(module.forward)
        return module

    return build if isinstance(make, type) else within(make)
"""


def far_side(submission: SubmissionNames) -> Handle:
    """All of these, over there, in the dict in which they look each other up."""
    scope = submission.send({})
    submission.module("builtins").exec(FAR_SIDE, scope)
    return scope


bring_stand_ins(far_side)
