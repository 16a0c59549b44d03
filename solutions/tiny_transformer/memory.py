"""What a model needs in memory: its weights, what training adds, and what one pass keeps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from .model import TinyTransformerLM


def estimate_model_memory(
    model: TinyTransformerLM, dtype: torch.dtype = torch.float32
) -> dict[str, float]:
    """Estimate the memory for a model's weights, and for training them with AdamW.

    Every parameter has `dtype.itemsize` bytes, whatever dtype the model has now. A parameter that
    is shared counts once; one that is frozen counts like any other, everywhere. Training needs a
    gradient for each parameter, and AdamW keeps two running averages of it: Loshchilov and Hutter
    2019, "Decoupled Weight Decay Regularization", algorithm 2.

    Args:
        model: the model; only its number of parameters matters, and it is left as it is.
        dtype: the dtype of weights, gradients and running averages: any that torch has.

    Returns:
        Sizes in MiB (1024 * 1024 bytes) by name: "parameters", "gradients" (as much again),
        "optimizer" (twice as much), "total_training" (the three added), and "inference_only" (the
        parameters alone).
    """
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    parameters = n_parameters * dtype.itemsize / 1024**2
    gradients = parameters
    optimizer = 2 * parameters
    return {
        "parameters": parameters,
        "gradients": gradients,
        "optimizer": optimizer,
        "total_training": parameters + gradients + optimizer,
        "inference_only": parameters,
    }


def estimate_activation_memory(
    model: TinyTransformerLM,
    batch_size: int,
    seq_len: int,
    dtype: torch.dtype = torch.float32,
    *,
    fused_attention: bool = False,
) -> float:
    """Estimate what autograd keeps from one forward pass until the backward pass.

    Counted is each tensor that an operation saves for its gradient, once, and not the parameters,
    the tokens and the mask: B sequences of T tokens, H heads, no dropout, no loss, attention
    computed step by step. An element has `dtype.itemsize` bytes. There are the blocks, the final
    LayerNorm and the head; the embedding saves nothing that counts.

    What each LayerNorm keeps for each position, a mean and a reciprocal standard deviation, is
    counted with 4 bytes each in every dtype. This is a convention: real kernels differ.

    Args:
        model: gives the sizes d_model, n_heads, n_layers and d_ff.
        batch_size: number of sequences B.
        seq_len: number of tokens T in each.
        dtype: the dtype of the activations.
        fused_attention: (bonus) count as for a fused kernel, which never stores the weights and
            keeps one number for each head and query in their place, counted with 4 bytes in every
            dtype. Dao et al. 2022, "FlashAttention", section 3.1.

    Returns:
        The size in MiB (1024 * 1024 bytes).
    """
    positions = batch_size * seq_len  # B * T
    stream = positions * model.d_model * dtype.itemsize  # one tensor (B, T, d_model)
    hidden = positions * model.d_ff * dtype.itemsize  # one tensor (B, T, d_ff)
    statistics = positions * 2 * 4  # mean and reciprocal standard deviation of one LayerNorm
    if fused_attention:
        weights = positions * model.n_heads * 4  # one logsumexp for each head and query
    else:
        weights = positions * model.n_heads * seq_len * dtype.itemsize  # (B, n_heads, T, T)

    # Two LayerNorm inputs, two LayerNorm outputs, query, key, value, and the heads' output;
    # GELU's input and output.
    block = 8 * stream + 2 * hidden + weights + 2 * statistics
    final = 2 * stream + statistics  # ln_f's input, and lm_head's
    return (model.n_layers * block + final) / 1024**2


def estimate_kv_cache(
    model: TinyTransformerLM,
    batch_size: int,
    seq_len: int,
    dtype: torch.dtype = torch.float32,
    n_kv_heads: int | None = None,
) -> float:
    """Estimate what a cache of keys and values takes.

    For each position, each block keeps a key and a value of d_model / n_heads elements for each
    head that has its own. An element has `dtype.itemsize` bytes.

    Args:
        model: gives the sizes d_model, n_heads and n_layers.
        batch_size: number of sequences B.
        seq_len: number of tokens T in each.
        dtype: the dtype of keys and values.
        n_kv_heads: number of heads that have keys and values of their own; it divides n_heads.
            `None` means all n_heads. With fewer, groups of query heads share them: Ainslie et al.
            2023, "GQA", section 2.2. With 1 all do: Shazeer 2019, "Fast Transformer Decoding",
            section 3.

    Returns:
        The size in MiB (1024 * 1024 bytes).
    """
    if n_kv_heads is None:
        n_kv_heads = model.n_heads
    key = n_kv_heads * model.d_model // model.n_heads  # elements of a position in one block
    return 2 * model.n_layers * batch_size * seq_len * key * dtype.itemsize / 1024**2


def largest_batch(memory: float, fixed: float, per_sequence: float, reserve: float = 0.1) -> int:
    """Find the largest batch that fits.

    Args:
        memory: MiB that there are.
        fixed: MiB that are taken whatever the batch: weights, gradients, the optimizer's state.
        per_sequence: MiB that each sequence takes.
        reserve: the share of `memory` that has to stay free.

    Returns:
        The largest number of sequences that fits; what fits exactly, fits, and floats are rounded:
        so does what is too large by no more than 1e-9 of a sequence. 0 if not even one does.
    """
    available = memory * (1 - reserve) - fixed
    return max(0, math.floor(available / per_sequence + 1e-9))


def measure_activation_memory(model: TinyTransformerLM, tokens: Tensor) -> float:
    """Measure what autograd keeps from one forward pass of `model` on `tokens`.

    Each piece of memory that an operation saves for its gradient counts once, however many tensors
    look into it; parameters, buffers and the tokens were there before and do not count. The hooks:
    https://docs.pytorch.org/docs/stable/notes/autograd.html#saved-tensors-hooks-doc

    Args:
        model: the model, on a real device; run as it is, in training or `eval()` mode.
        tokens: token ids (B, T) on the same device.

    Returns:
        The size in MiB (1024 * 1024 bytes).
    """
    there_before = {
        tensor.untyped_storage().data_ptr()
        for tensor in (*model.parameters(), *model.buffers(), tokens)
    }
    saved: dict[int, torch.UntypedStorage] = {}  # holding on to them keeps addresses unique

    def record(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in there_before:
            saved[storage.data_ptr()] = storage
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(record, lambda kept: kept):
        model(tokens)
    return sum(storage.nbytes() for storage in saved.values()) / 1024**2
