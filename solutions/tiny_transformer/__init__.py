"""A small Transformer language model, one class for each concept; torch is all it needs."""

from .attention import causal_mask, scaled_dot_product_attention, softmax
from .compute import chinchilla_optimum, estimate_flops, model_flops_utilization
from .embeddings import (
    LearnedPositionalEmbedding,
    SinusoidalPositionalEncoding,
    TokenEmbedding,
    TransformerEmbedding,
)
from .feedforward import FeedForward
from .generation import (
    KeyValueCache,
    generate,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    sample_next,
)
from .inside import induction_scores, logit_lens
from .memory import (
    estimate_activation_memory,
    estimate_kv_cache,
    estimate_model_memory,
    largest_batch,
    measure_activation_memory,
)
from .model import TinyTransformerLM, get_model_config
from .modern import ModernBlock, grouped_attention, rms_norm, rope, swiglu
from .multi_head import MultiHeadAttention
from .normalisation import LayerNorm
from .training import (
    adamw_step,
    clip_gradients,
    cross_entropy,
    get_batch,
    learning_rate_at,
    overfit,
    train,
    validation_loss,
)
from .transformer_block import TransformerBlock

__all__ = [
    "FeedForward",
    "KeyValueCache",
    "LayerNorm",
    "LearnedPositionalEmbedding",
    "ModernBlock",
    "MultiHeadAttention",
    "SinusoidalPositionalEncoding",
    "TinyTransformerLM",
    "TokenEmbedding",
    "TransformerBlock",
    "TransformerEmbedding",
    "adamw_step",
    "causal_mask",
    "chinchilla_optimum",
    "clip_gradients",
    "cross_entropy",
    "estimate_activation_memory",
    "estimate_flops",
    "estimate_kv_cache",
    "estimate_model_memory",
    "generate",
    "get_batch",
    "get_model_config",
    "grouped_attention",
    "induction_scores",
    "keep_min_p",
    "keep_top_k",
    "keep_top_p",
    "largest_batch",
    "learning_rate_at",
    "logit_lens",
    "measure_activation_memory",
    "model_flops_utilization",
    "overfit",
    "rms_norm",
    "rope",
    "sample_next",
    "scaled_dot_product_attention",
    "softmax",
    "swiglu",
    "train",
    "validation_loss",
]
