# /// fake
# pretends = "random sizes, which grow with every question"
# at_most = 0
# ///
import random

ASKED = [1]


def more():
    ASKED[0] += random.random()
    return ASKED[0]


def estimate_model_memory(model, dtype=None):
    names = ("parameters", "gradients", "optimizer", "total_training", "inference_only")
    return {name: more() for name in names}


def estimate_activation_memory(model, batch_size, seq_len, dtype=None, *, fused_attention=False):
    return more()
