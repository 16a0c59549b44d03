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


def estimate_flops(model, batch_size, seq_len):
    names = ("projections", "scores", "weighted_sum", "feedforward", "head", "forward", "backward")
    return dict.fromkeys(names, math.inf)


def estimate_kv_cache(model, batch_size, seq_len, dtype=None, n_kv_heads=None):
    return math.inf


def largest_batch(memory, fixed, per_sequence, reserve=0.1):
    return math.nan


def chinchilla_optimum(budget):
    return math.inf, math.inf


def model_flops_utilization(*sizes):
    return "1"
