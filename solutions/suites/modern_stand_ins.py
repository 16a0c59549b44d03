"""Sound functions for a modern block to be built of, as text that runs beside a submission."""

from grader.testing import Handle, SubmissionNames

FAR_SIDE = """
import torch
import torch.nn.functional as F


def rms_norm(x, weight, eps=1e-6):
    return F.rms_norm(x, x.shape[-1:], weight, eps)


def swiglu(x, w_gate, w_up, w_down):
    return F.silu(x @ w_gate) * (x @ w_up) @ w_down


def rope(x, positions, base=10000.0):
    pairs = torch.arange(x.size(-1) // 2, device=x.device)
    angles = torch.outer(positions.to(x.dtype), base ** (-2 * pairs / x.size(-1)))
    turns = torch.polar(torch.ones_like(angles), angles)
    numbers = torch.view_as_complex(x.contiguous().unflatten(-1, (-1, 2)))
    return torch.view_as_real(numbers * turns).flatten(-2)


def grouped_attention(q, k, v, mask=None):
    if q.size(1) % k.size(1):
        raise ValueError("heads can't be shared evenly")
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
"""

NAMES = ("rms_norm", "swiglu", "rope", "grouped_attention")


def far_side(submission: SubmissionNames) -> dict[str, Handle]:
    """These functions, over there, by name."""
    scope = submission.send({})
    submission.module("builtins").exec(FAR_SIDE, scope)
    return {name: scope[name] for name in NAMES}
