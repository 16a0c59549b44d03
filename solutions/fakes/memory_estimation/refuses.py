# /// fake
# pretends = "everything is refused, in many ways"
# at_most = 0
# ///


def estimate_model_memory(model, dtype=None):
    raise ValueError("the model has no data")


def estimate_activation_memory(model, batch_size, seq_len, dtype=None, *, fused_attention=False):
    raise NotImplementedError("item() cannot be called on meta")
