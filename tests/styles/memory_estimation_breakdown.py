"""Uses the model's own count, NumPy's numbers, a class with static methods, bytes until the end."""

import numpy as np
import torch


class Estimator:
    UNIT = np.float64(1024) ** 2

    @staticmethod
    def itemsize(dtype):
        return torch.empty(0, dtype=dtype).element_size()

    @classmethod
    def model(cls, model, dtype=torch.float32):
        n = np.int64(model.get_parameter_breakdown()["total"])
        factors = {
            "parameters": 1, "gradients": 1, "optimizer": 2, "total_training": 4,
            "inference_only": 1,
        }  # fmt: skip
        return {k: f * n * cls.itemsize(dtype) / cls.UNIT for k, f in factors.items()}

    @classmethod
    def activations(cls, model, batch_size, seq_len, dtype=torch.float32, **options):
        size = cls.itemsize(dtype)
        d, f, h, t = (np.int64(n) for n in (model.d_model, model.d_ff, model.n_heads, seq_len))
        scores = h * 4 if options.get("fused_attention") else h * t * size
        token = model.n_layers * (8 * d * size + 2 * f * size + scores + 16) + 2 * d * size + 8
        return np.multiply(token, batch_size * seq_len) / cls.UNIT


estimate_model_memory = Estimator.model
estimate_activation_memory = Estimator.activations
