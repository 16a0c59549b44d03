# /// fake
# pretends = "no size at all: infinite, not a number, true, or a text"
# at_most = 0
# ///
import math


def estimate_model_memory(model, dtype=None):
    return {
        "parameters": math.inf,
        "gradients": math.nan,
        "optimizer": True,
        "total_training": "2",
        "inference_only": math.inf,
    }


def estimate_activation_memory(model, batch_size, seq_len, dtype=None, *, fused_attention=False):
    return math.inf if fused_attention else math.nan
