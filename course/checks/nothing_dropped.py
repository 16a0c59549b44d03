"""Calm for a model that drops something where nothing should be dropped.

That is one mistake, and one check is about it. All others judge what the model computes without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

DROPPING: tuple[Callable[..., Any], ...] = (
    *(F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout),
    *(torch.dropout, torch.dropout_, torch.alpha_dropout, torch.feature_dropout),
)


class NothingDropped(TorchFunctionMode):
    """While inside, dropout gives what it is given, whatever its rate and the mode are."""

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call a function of torch's."""
        kwargs = dict(kwargs or {})
        if function in DROPPING:
            return args[0] if args else kwargs["input"]
        if function is F.scaled_dot_product_attention:
            args = (*args[:4], *([0.0] if len(args) > 4 else []), *args[5:])
            kwargs.pop("dropout_p", None)
        return function(*args, **kwargs)
