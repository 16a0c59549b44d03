"""Models of the course's own kind whose logits are known: they stand in a table.

Each token's vector is so long that beside it nothing counts that comes from other tokens, and its
block adds an even longer one. So the table stands in no part of the model: a whole forward pass
leads to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from course.parts import TinyTransformerLM

SIZES: dict[str, Any] = {"d_model": 32, "n_heads": 2, "n_layers": 1, "d_ff": 64, "dropout": 0.0}

NEAR = 1e-4
"""How far logits may be from the table, as a part of its spread.

Of 4,000 models with random tables none was farther away than 3e-5: who would look like a right
answer's bad luck is drawn again.
"""


def drawn_table_model(logits: Tensor, **arguments: Any) -> TinyTransformerLM:
    """A model that scores what comes next by a table (V, V): row t wherever token t stands."""
    while True:
        model: TinyTransformerLM = _table_model(logits, **arguments)
        if _error(model, logits) <= NEAR * max(float(logits.max() - logits.min()), 1.0):
            return model


def _table_model(logits: Tensor, **arguments: Any) -> Any:
    from course.parts import TinyTransformerLM

    width, hidden = SIZES["d_model"], SIZES["d_ff"]
    sizes = {**arguments, **SIZES, "vocab_size": len(logits), "tie_weights": False}
    model: Any = TinyTransformerLM(**sizes).eval()
    rows, added = (size * torch.randn(len(logits), width) for size in (1e5, 1e7))
    first = torch.randn(hidden, width) / width**0.5
    features = functional.gelu(functional.layer_norm(rows, (width,)) @ first.T)
    normed = functional.layer_norm(rows + added, (width,))
    head = (logits.max() - logits.min()) * torch.randn(len(logits), width)
    head += (normed.pinverse() @ (logits - normed @ head.T)).T
    layer = model.blocks[0].layer
    for parameter, value in (
        (model.embedding.token_embedding["embedding"].weight, rows / width**0.5),
        (layer.linear1.weight, first),
        (layer.linear1.bias, torch.zeros(hidden)),
        (layer.linear2.weight, (features.pinverse() @ added).T),
        (layer.linear2.bias, torch.zeros(width)),
        (model.lm_head.weight, head),
    ):
        parameter.data.copy_(value)
    return model


def _error(model: TinyTransformerLM, logits: Tensor) -> float:
    """How far the model's logits are from the table, after random texts and after repetitions."""
    size, length = len(logits), min(model.max_len, 8)
    drawn = torch.randint(0, size, (size, length))  # (V, T)
    repeated = torch.arange(size).unsqueeze(1).expand(-1, length)  # (V, T)
    texts = torch.cat([drawn, repeated])
    with torch.no_grad():
        return float((model(texts)[0] - logits[texts]).abs().max())
