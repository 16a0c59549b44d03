# %% [markdown]
# # 5 · Memory estimation
#
# *CUDA out of memory* is an answer to a question that can be answered before: will it fit? In this
# notebook you compute what a model needs to be stored, what training adds, and what one pass over a
# batch adds to that. Then you hold your numbers against what PyTorch really keeps. The last part asks
# the same of time: how many operations does training take, and what is a budget of them good for?
#
# Afterwards you will be able to
#
# - turn a number of parameters into bytes, for inference and for training with AdamW;
# - say which tensors autograd keeps, and why these;
# - derive the memory of a forward pass from the sizes of a model, and measure it;
# - judge rules of thumb, and know when attention's T × T matrices are the problem;
# - decide what to change when it does not fit, and find the largest batch that does;
# - compute what keys and values take while a model generates, and what sharing them saves;
# - count the operations of training, part by part, and say when 6 operations for each parameter and
#   token are a good count;
# - split a budget between a model and its data, and tell how well a machine is used.
#
# **How it works.** Seven functions below say `# YOUR CODE HERE`. `check("keys")` tells you at once
# whether names and units are right; cells that say *graded after you hand in* stand for hidden checks.
# Models come with the course, so that nothing here depends on your earlier notebooks, and no function
# needs another one of yours. Dots tell how hard a task is, one to five; minutes are for somebody who
# has read what stands above it. At hidden checks they are for going over your function once more, with
# what is asked there in mind. A word that is new to you may stand in the [glossary](99_glossary.ipynb).

# %%
import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

sys.path += [".", "..", "../.."]  # the folder `course` lies here or above
try:
    from course import check, plots
except ModuleNotFoundError:
    message = "The folder `course` is not here: open this notebook inside the unpacked course."
    raise ModuleNotFoundError(message) from None

from course.parts import TinyTransformerLM, TransformerEmbedding

ASSIGNMENT = "memory_estimation"  # tells check() which notebook this is
torch.set_num_threads(1)  # small models are faster on one, by far where others compute as well
torch.manual_seed(0)
print("Ready: torch", torch.__version__)

# %% [markdown] tags=["instructor"]
# Part 2 writes a block out, line by line: release this notebook when *blocks* is due.

# %% [markdown]
# ## Part 1: What a model weighs
#
# **Units.** A tensor takes its number of elements times the bytes of one, which its dtype knows:
# `dtype.itemsize`. Sizes are given in MiB here: 1 MiB = 1024 × 1024 bytes. (A *megabyte*, MB, is
# 1,000,000 bytes, 5 % less. Many programs say MB and mean MiB.)

# %%
for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.int8):
    size = 10**9 * dtype.itemsize / 1024**2
    print(f"{dtype!s:15} {dtype.itemsize} bytes: a billion of them take {size:7,.0f} MiB")

# %% [markdown]
# **Training** needs more than the parameters:
#
# | what | how much | until when |
# |---|---|---|
# | parameters | $P$ elements | always |
# | gradients | one for each parameter: $P$ | from the backward pass to the step |
# | AdamW's two averages, of the gradient and of its square | $2P$ | always |
# | activations | Part 2 | from the forward pass to the backward pass |
#
# So training with AdamW takes four times the parameters, before the first activation. Count what is
# there: a parameter that two layers share once, one that is frozen like any other (see the docstring),
# and no buffers: they are not trained, and small beside the rest.
#
# *Look it up in the optimizer itself*, after one step:

# %%
model = TinyTransformerLM(1000, d_model=64, n_heads=4, n_layers=2, d_ff=256)
optimizer = torch.optim.AdamW(model.parameters())
model(torch.zeros(1, 4, dtype=torch.long))[0].sum().backward()
optimizer.step()
held = {"parameters": 0, "gradients": 0}
for parameter in model.parameters():
    held["parameters"] += parameter.nbytes
    held["gradients"] += parameter.grad.nbytes
    for name, state in optimizer.state[parameter].items():
        held[name] = held.get(name, 0) + state.nbytes
for name, size in held.items():
    print(f"{name:11} {size:9,} bytes")

# %% [markdown]
# (`step` counts the steps, in a tensor of its own for each parameter: a trifle, which nobody counts.)
#
# ### Task 1 · Weights, gradients, averages
#
# *Difficulty: ●○○○○ · about 10 minutes*
#
# The result is a dict with five sizes in MiB. All of them are about the dtype that is asked for,
# whatever dtype the model happens to have.

# %% solution="estimate_model_memory"

# %%
check("weights")

# %% [markdown]
# **Look at it.** The four sizes of the course, with a vocabulary of 10,000. (On the device `meta`,
# tensors have a shape and no content: a large model weighs nothing there.) `with plots.demo():` marks a
# demonstration: it waits for your answers, and takes no name from them. `plots.rows` and `plots.steps`,
# further down, hand on all that they are given; only a grading, where nobody looks, goes through less.

# %%
PRESETS = {
    "tiny": {"d_model": 128, "n_heads": 4, "n_layers": 4, "d_ff": 512, "max_len": 512},
    "small": {"d_model": 256, "n_heads": 8, "n_layers": 6, "d_ff": 1024, "max_len": 1024},
    "medium": {"d_model": 512, "n_heads": 8, "n_layers": 8, "d_ff": 2048, "max_len": 1024},
    "large": {"d_model": 768, "n_heads": 12, "n_layers": 12, "d_ff": 3072, "max_len": 2048},
}
with plots.demo(), torch.device("meta"):
    models = {size: TinyTransformerLM(10_000, **config) for size, config in PRESETS.items()}

with plots.demo():
    print(f"{'size':7} {'parameters':>11} {'inference':>13} {'in bfloat16':>13} {'training':>13}")
    for size, model in models.items():
        single = estimate_model_memory(model)
        half = estimate_model_memory(model, dtype=torch.bfloat16)
        print(
            f"{size:7} {model.count_parameters():11,} {single['inference_only']:9.1f} MiB"
            f" {half['inference_only']:9.1f} MiB {single['total_training']:9.1f} MiB"
        )

# %%
with plots.demo():
    kinds = ("parameters", "gradients", "optimizer")
    sizes = {size: estimate_model_memory(model) for size, model in models.items()}
    plots.memory_bars(
        {size: {kind: memory[kind] for kind in kinds} for size, memory in sizes.items()},
        "Training with AdamW in float32, without activations",
    )

# %% [markdown]
# **You should see** four bars that grow three- to fourfold from size to size, each cut in the same
# proportion: 1 to 1 to 2. The optimizer's part is as large as the other two together.
#
# *Hidden: dtypes that you may not have thought of, tied and frozen weights.*
#
# *Difficulty: ●●○○○ · about 5 minutes*

# %% question="dtypes"

# %% question="counting"

# %% [markdown]
# **Mixed precision.** It is tempting to conclude that training in 16 bits takes half. As a rule it
# does not: weights in bfloat16 are too coarse to be moved by small steps, so that one keeps a second,
# exact copy (Micikevicius et al. 2018, section 3.1), and the averages stay exact too.

# %%
with plots.demo():
    recipes = {  # bytes for each parameter
        "float32": {"weights": 4, "gradients": 4, "averages": 8},
        "bfloat16, float32 copy": {"weights": 2, "gradients": 2, "copy": 4, "averages": 8},
        "bfloat16 throughout": {"weights": 2, "gradients": 2, "averages": 4},
    }
    for name, parts in recipes.items():
        spelled = " + ".join(f"{size} {part}" for part, size in parts.items())
        print(f"{name:23} {sum(parts.values()):2} bytes a parameter: {spelled}")

    weight = torch.tensor(1.0, dtype=torch.bfloat16)
    print("\n1 + 0.001 in bfloat16 is", (weight + 0.001).item(), "- a small step is lost")

# %% [markdown]
# ## Part 2: What autograd keeps
#
# The backward pass needs numbers from the forward pass. Take $y = xW$: the gradient of $W$ is
# $x^\top \cdot \partial\ell/\partial y$, so $x$ has to be kept until then. Adding needs nothing: its
# gradient is 1, whatever was added. What is kept is what the formula of the *derivative* contains.
#
# PyTorch lets us watch. `saved_tensors_hooks` calls a function of ours with each tensor that an
# operation saves. Here is the instrument, and a look at the operations that a block consists of:


# %%
def saved_by(run, already=()):
    """The tensors that autograd saves while run() computes: each piece of memory once.

    What lies in the memory of the tensors `already`, such as parameters, was there before.
    """
    known = {tensor.untyped_storage().data_ptr() for tensor in already}
    saved = {}

    def keep(tensor):
        address = tensor.untyped_storage().data_ptr()
        if address not in known:
            saved.setdefault(address, tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept):
        run()
    return list(saved.values())


def size_of(tensors):
    """MiB in the memory behind tensors."""
    return sum(tensor.untyped_storage().nbytes() for tensor in tensors) / 1024**2


with plots.demo():
    B, T, d_model, n_heads, d_ff = 2, 64, 32, 4, 96
    x = torch.randn(B, T, d_model, requires_grad=True)
    square = torch.randn(B, n_heads, T, T, requires_grad=True)
    other = torch.randn(B, n_heads, T, 8, requires_grad=True)
    linear = nn.Linear(d_model, d_ff)
    operations = {
        "x + x": lambda: x + x,
        "x / 8": lambda: x / 8,
        "linear(x)": lambda: linear(x),
        "gelu(x)": lambda: F.gelu(x),
        "layer_norm(x)": lambda: F.layer_norm(x, (d_model,)),
        "dropout(x)": lambda: F.dropout(x, 0.1),
        "softmax(square)": lambda: square.softmax(dim=-1),
        "square @ other": lambda: square @ other,
    }
    for name, operation in operations.items():
        saved = saved_by(operation, already=linear.parameters())
        print(
            f"{name:16} keeps", ", ".join(str(tuple(tensor.shape)) for tensor in saved) or "nothing"
        )

# %% [markdown]
# A linear map keeps its input (PyTorch flattens `(B, T)` to one dimension), GELU its input, softmax
# its *output*, a product both factors, LayerNorm its input and, for each position, a mean and a
# reciprocal standard deviation. Two readers of one tensor share it: query, key and value map read the same vectors, which
# are kept once.
#
# Here is a block with a line for each step, so that nothing is hidden. It has no dropout, and it
# computes attention in the open, or, with `fused=True`, by one call that does it inside.


# %%
class PlainBlock(nn.Module):
    """A pre-norm block to be measured."""

    def __init__(self, d_model, n_heads, d_ff, fused=False):
        super().__init__()
        self.n_heads, self.fused = n_heads, fused
        self.ln_1, self.ln_2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.maps = nn.ModuleList(nn.Linear(d_model, d_model) for _ in range(4))
        self.up, self.down = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)

    def forward(self, x, mask):  # (B, T, d_model), (T, T) with 0 and -inf
        normed = self.ln_1(x)  # (B, T, d_model)
        query, key, value = (  # (B, n_heads, T, d_k) each
            part(normed).unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for part in self.maps[:3]
        )
        if self.fused:
            mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        else:
            scores = query @ key.transpose(-2, -1)  # (B, n_heads, T, T)
            scores = scores / math.sqrt(query.size(-1)) + mask
            mixed = scores.softmax(dim=-1) @ value  # (B, n_heads, T, d_k)
        x = x + self.maps[3](mixed.transpose(1, 2).flatten(-2))  # (B, T, d_model)
        hidden = self.up(self.ln_2(x))  # (B, T, d_ff)
        return x + self.down(F.gelu(hidden))  # (B, T, d_model)


def causal(seq_len):
    """Additive mask (T, T)."""
    return torch.full((seq_len, seq_len), -math.inf).triu(1)


with plots.demo():
    block = PlainBlock(d_model, n_heads, d_ff)
    x, mask = torch.randn(B, T, d_model, requires_grad=True), causal(T)
    saved = saved_by(lambda: block(x, mask), already=[*block.parameters(), mask])
    plots.saved_tensors(
        {f"{n}: {tuple(t.shape)}": t.numel() for n, t in enumerate(saved, 1)},
        f"A block with B = {B}, T = {T}, d_model = {d_model}, {n_heads} heads, d_ff = {d_ff}",
    )

# %% [markdown]
# **You should see** bars of four lengths: the longest, alone, is the one of $T \times T$; two are of
# width `d_ff`, most of width `d_model`, and four can hardly be seen.
#
# Which bar is which? Go through `forward` with the rules from above. (Shapes are as the operation
# sees them: `(128, 32)` is `(B * T, d_model)`, `(8, …)` is `(B * n_heads, …)`.) You should find
#
# - all the tensors of `B * T * d_model` elements: what are they, and how many?
# - those of `B * T * d_ff`;
# - the one of `B * n_heads * T * T`;
# - and four small ones, of `B * T` elements: what the LayerNorms keep for each position.
#
# In which dtype the four small ones are kept depends on who computes them. With float32 norms, and
# under autocast, they are float32 beside 16-bit vectors; a model that is bfloat16 throughout keeps
# them in bfloat16 on a CPU, and one in float64 in float64. They are small, so we agree on a
# convention: *4 bytes each, in every dtype*. Watch it:


# %%
with plots.demo():

    def bytes_of_a_mean(norm_dtype, dtype):
        """What one of the means takes that a LayerNorm keeps, on this machine's CPU."""
        norm = nn.LayerNorm(d_model, dtype=norm_dtype)
        vectors = torch.randn(B, T, d_model, dtype=dtype, requires_grad=True)
        *_, mean, _ = saved_by(lambda: norm(vectors), already=norm.parameters())
        return mean.dtype.itemsize

    for name, norm_dtype, dtype in (
        ("float64 throughout", torch.float64, torch.float64),
        ("float32 throughout", torch.float32, torch.float32),
        ("bfloat16, float32 norms", torch.float32, torch.bfloat16),
        ("bfloat16 throughout", torch.bfloat16, torch.bfloat16),
    ):
        print(f"{name:24} {bytes_of_a_mean(norm_dtype, dtype)} bytes")

# %% [markdown]
# ### Task 2 · What one forward pass keeps
#
# *Difficulty: ●●●●○ · about 30 minutes*
#
# After the last block, `ln_f` and `lm_head` keep something too; the embedding keeps nothing but ids.
# Add up what `PlainBlock` and these two keep, and you have the formula. Let $b$ be the bytes of an
# element; how often each term occurs is yours to fill in. The result is in bytes: boxes before a $b$
# are filled with numbers of tensors, those of the two small terms without a $b$ with bytes a position.
#
# $$
# L\,\big[(\,\square\, BTd + \square\, BTf + \square\, BHT^2)\,b + \square\, BT\big]
# + \square\, BTd\,b + \square\, BT
# $$
#
# with $L$ blocks, $H$ heads, $d = d_{\text{model}}$, $f = d_{\text{ff}}$. Nothing here assumes
# $f = 4d$, and `max_len` and the vocabulary do not occur: what counts is the batch that runs.
#
# Part 3 holds your estimate against a measurement: it is right if it says 100.0 % in every row.
#
# `model` and the two numbers can be given without their names, in this order, and then the dtype.
#
# `fused_attention=True` is a bonus; Part 4 is about it.

# %% solution="estimate_activation_memory"

# %% question="keys"

# %% [markdown]
# ## Part 3: Estimate and truth
#
# **Look at it.** Your estimate beside a measurement, for models of several shapes. Beside it stands a
# *rule of thumb* that is often seen: it counts query, key and value, the scores, attention's output,
# the hidden layer, "residuals and norms" twice, and the embedding's output. It looks reasonable, and
# is wrong in one direction: it forgets what GELU keeps, the inputs of the maps, and the head.


# %%
class PlainModel(nn.Module):
    """A language model of plain blocks; with `again`, they are computed twice: Part 5 says why."""

    def __init__(self, vocab_size, d_model, n_heads, n_layers, d_ff, fused=False, again=False):
        super().__init__()
        self.again, self.vocab_size = again, vocab_size
        self.d_model, self.n_heads, self.n_layers, self.d_ff = d_model, n_heads, n_layers, d_ff
        self.embedding = TransformerEmbedding(vocab_size, d_model, max_len=2048, dropout=0.0)
        self.blocks = nn.ModuleList(
            PlainBlock(d_model, n_heads, d_ff, fused) for _ in range(n_layers)
        )
        self.ln_f = nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)

    def forward(self, tokens):  # (B, T) -> (B, T, V)
        x = self.embedding(tokens)  # (B, T, d_model)
        mask = causal(tokens.size(1)).to(x.dtype)  # (T, T)
        for block in self.blocks:
            x = checkpoint(block, x, mask, use_reentrant=False) if self.again else block(x, mask)
        return self.lm_head(self.ln_f(x))


def measure(model, batch_size, seq_len, with_loss=False):
    """MiB that autograd keeps from one forward pass, without what was there before."""
    tokens = torch.randint(0, 100, (batch_size, seq_len))  # (B, T)

    def run():
        logits = model(tokens)  # (B, T, V)
        if with_loss:
            F.cross_entropy(logits.flatten(0, 1), tokens.flatten())

    return size_of(saved_by(run, already=[*model.parameters(), *model.buffers(), tokens]))


def rule_of_thumb(model, batch_size, seq_len):
    """MiB as often estimated, in float32."""
    stream = batch_size * seq_len * model.d_model  # elements (B, T, d_model)
    scores = batch_size * model.n_heads * seq_len**2
    hidden = batch_size * seq_len * model.d_ff
    block = 3 * stream + scores + stream + hidden + 2 * stream
    return (stream + model.n_layers * block) * 4 / 1024**2


with plots.demo():
    shapes = (  # d_model, n_heads, n_layers, d_ff, B, T
        (64, 4, 2, 256, 4, 32),
        (64, 4, 2, 256, 4, 256),
        (64, 1, 4, 100, 8, 64),
        (96, 12, 2, 192, 1, 300),
    )
    print(" d  H  L    f  B    T   measured   estimate          rule of thumb")
with plots.demo():
    for width, heads, layers, hidden, batch_size, seq_len in plots.rows(shapes):
        model = PlainModel(100, width, heads, layers, hidden)
        truth = measure(model, batch_size, seq_len)
        rule = rule_of_thumb(model, batch_size, seq_len)
        estimate = estimate_activation_memory(model, batch_size, seq_len)
        print(
            f"{width:2} {heads:2} {layers:2} {hidden:4} {batch_size:2} {seq_len:4}"
            f" {truth:6.2f} MiB {estimate:6.2f} MiB {estimate / truth:6.1%}"
            f" {rule:6.2f} MiB {rule / truth:6.1%}"
        )

# %% [markdown]
# *Hidden: your estimate of Task 2 beside a measurement.*
#
# *Difficulty: ●●●○○ · about 10 minutes*

# %% question="measurement"

# %% [markdown]
# Right is 100.0 % in every row. Off by a few percent? Compare the *differences*: change one size at a
# time, in the measurement and in your estimate, and see which term does not keep up.
#
# All rows are in float32, where the small terms need no convention. Compare one number in 16 bits by
# hand: for the sizes of the first row, `torch.bfloat16` makes 0.5986 MiB of 1.1924 MiB, a bit more than half.
#
# **Batch and length.** Activations of the two smaller models at $T = 512$, for several batches. They
# grow with the batch exactly in proportion, and next to them the weights are soon a trifle.

# %%
with plots.demo():
    print(f"T = 512 in float32, MiB{'B = 1':>10}{'B = 4':>10}{'B = 16':>10}{'B = 32':>10}")
    for size in ("tiny", "small"):
        for name, estimate in (("yours", estimate_activation_memory), ("rule", rule_of_thumb)):
            row = [estimate(models[size], batch_size, 512) for batch_size in (1, 4, 16, 32)]
            print(f"{size:6} {name:16}" + "".join(f"{mib:10.1f}" for mib in row))

# %% [markdown]
# *Hidden: each term of the formula of Task 2, for sizes that nobody has printed.*
#
# *Difficulty: ●●●○○ · about 5 minutes*

# %% question="activations"

# %% [markdown]
# ## Part 4: When do the T × T matrices dominate?
#
# Attention's weights grow with $T^2$, everything else with $T$. One often reads that they dominate.
# Compare within a block: the weights take $HT^2$ elements a sequence, the rest what your numbers for
# $BTd$ and $BTf$ say. With $f = 4d$ and $d = H d_k$, and without the small terms, the weights dominate
# only for
#
# $$T > (\text{your number for } BTd + 4 \cdot \text{your number for } BTf)\, d_k .$$
#
# At $d_k = 32$ (our *small*) that is 512 tokens, at $d_k = 128$ it is 2,048.
#
# And it need not be like that at all. **Fused attention** (Dao et al. 2022, section 3.1) computes the
# weights piece by piece and throws them away; in the backward pass it computes them again. What it
# keeps instead is *one number for each head and query*, from which the softmax can be restored:
# `B * n_heads * T` numbers. As a rule they are float32, in float64 PyTorch keeps float64; count 4
# bytes in every dtype, again as a convention. That is a small price, and nothing of size $T^2$ is
# left. In the formula, that term takes the place of the weights; all others stay.

# %%
with plots.demo():
    lengths = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
    small = models["small"]
    whole = [estimate_activation_memory(small, 1, n) for n in lengths]
    weights = [small.n_layers * small.n_heads * n**2 * 4 / 1024**2 for n in lengths]
    rest = [total - part for total, part in zip(whole, weights, strict=True)]
    plots.curves(
        {"T": {"attention weights": (lengths, weights), "everything else": (lengths, rest)}},
        "Activations of small, one sequence",
        "MiB in float32",
        log="xy",
    )

# %% [markdown]
# **You should see** two straight lines, as both axes are logarithmic: the one of the weights is twice
# as steep, and crosses the other at 512 tokens.
#
# Watch PyTorch do it. The same model, step by step and fused, and what else a training run adds: the
# loss keeps the logits' log-softmax, `B * T * V` elements, which for a large vocabulary can be the
# largest tensor of all; and *autocast*, which computes in bfloat16, does not halve anything. The
# softmax stays in float32, and what is cast for the next product is kept a second time. The rule of
# thumb, too small above, is far too large as soon as attention is fused.

# %%
with plots.demo():
    seq_len = len(plots.steps(512))
    plain, fused = (PlainModel(100, 64, 4, n_layers=2, d_ff=256, fused=f) for f in (False, True))
    print(f"step by step:       {measure(plain, 2, seq_len):6.2f} MiB")
    print(f"fused:              {measure(fused, 2, seq_len):6.2f} MiB")
    with torch.autocast("cpu", torch.bfloat16):
        print(f"under autocast:     {measure(plain, 2, seq_len):6.2f} MiB")
    wide = PlainModel(20_000, 64, 4, n_layers=2, d_ff=256)
    print(f"V = 20,000:         {measure(wide, 2, seq_len):6.2f} MiB")
    print(f"V = 20,000, loss:   {measure(wide, 2, seq_len, with_loss=True):6.2f} MiB")
with plots.demo():
    print(f"\nyour estimate:      {estimate_activation_memory(plain, 2, seq_len):6.2f} MiB")
    estimate = estimate_activation_memory(plain, 2, seq_len, fused_attention=True)
    print(f"yours, fused:       {estimate:6.2f} MiB (bonus)")
print(f"rule of thumb:      {rule_of_thumb(plain, 2, seq_len):6.2f} MiB, fused or not")

# %% [markdown]
# *Hidden, and a bonus: `fused_attention=True` of Task 2.*
#
# *Difficulty: ●●●○○ · about 10 minutes*

# %% question="fused_attention"

# %% [markdown]
# ## Part 5: Will it fit?
#
# Everything together, for training *small* on 64 sequences of 1,024 tokens, in float32. Guess first: you
# have seen all that it takes.

# %%
PREDICTED_FIT = {
    "MiB of weights, gradients and averages": None,
    "GiB of activations": None,
    "GiB of activations at half the length": None,
}  # your guesses, then run both cells

# %%
with plots.demo():
    model = models["small"]
    weights = estimate_model_memory(model)["total_training"]
    attempts = {}
    for name, batch_size, seq_len in (
        ("B = 64, T = 1024", 64, 1024),
        ("B = 64, T = 512", 64, 512),
        ("B = 16, T = 1024", 16, 1024),
    ):
        attempts[name] = {
            "weights, gradients, optimizer": weights,
            "activations": estimate_activation_memory(model, batch_size, seq_len),
            "the loss (V = 10,000)": batch_size * seq_len * 10_000 * 4 / 1024**2,
        }
    plots.memory_bars(attempts, "Training small in float32, step by step attention")
    gibibytes = [row["activations"] / 1024 for row in attempts.values()]
    check(
        "prediction fit",
        {
            "MiB of weights, gradients and averages": weights,
            "GiB of activations": gibibytes[0],
            "GiB of activations at half the length": gibibytes[1],
        },
        within=0.2,
    )

# %% [markdown]
# **You should see** bars that are mostly activations. The loss takes 12 to 17 %, and what the model and
# its optimizer take is a thin line at the left edge. Half the length saves more than half, a quarter of
# the batch three quarters.
#
# The model is a dwarf, its activations are giants. What helps, in the order in which one tries it:
#
# | change | saves | costs |
# |---|---|---|
# | fused attention | everything of size $T^2$ | nothing: it is faster, too |
# | a smaller batch, gradients added up over several (*accumulation*) | activations, in proportion | some speed |
# | *checkpointing*: keep each block's input only, compute the rest again (Chen et al. 2016) | nearly all of the blocks' activations | one more forward pass |
# | bfloat16 activations and weights | up to half of the activations | precision; keep float32 where it matters |
# | an optimizer with smaller state | up to half of the model's part | tuning |
# | several devices | what is split | communication |
#
# What no formula here contains: the allocator's reserve, workspaces of kernels, the few hundred MiB
# that a GPU's driver takes for itself, and the largest temporary tensor. Leave room of 10 to 20 %. On
# a GPU, `torch.cuda.max_memory_allocated()` after one training step tells what it was in the end.
#
# **Measure three of them.** A *checkpointed* block hands on its output and keeps its input alone. When
# the backward pass reaches it, it is computed again from there, and this time everything is kept, for
# one block at a time. Beside what autograd keeps, the table counts operations, which are the subject
# of Part 7: a training step in units of its forward pass. Its backward pass has two products for each
# one of the forward pass, so that it takes three in all.

# %%
PREDICTED_SAVING = {
    "share kept in bfloat16": None,
    "share kept under autocast": None,
    "share kept by checkpoints": None,
    "forward passes with checkpoints": None,
}  # your guesses, then run both cells


# %%
def count_products(model, tokens):
    """Operations of a forward pass and of a backward pass, as PyTorch counts them."""
    with FlopCounterMode(display=False) as forward:
        loss = model(tokens).sum()
    with FlopCounterMode(display=False) as backward:
        loss.backward()
    return forward.get_total_flops(), backward.get_total_flops()


with plots.demo():
    sizes, seq_len = (100, 64, 4, 4, 256), len(plots.steps(256))
    tokens = torch.randint(0, 100, (2, seq_len))  # (B, T)
    variants = {
        "float32": PlainModel(*sizes),
        "bfloat16 throughout": PlainModel(*sizes).bfloat16(),
        "checkpointed": PlainModel(*sizes, again=True),
        "fused": PlainModel(*sizes, fused=True),
        "fused, checkpointed": PlainModel(*sizes, fused=True, again=True),
    }
    kept = {name: measure(model, 2, seq_len) for name, model in variants.items()}
    with torch.autocast("cpu", torch.bfloat16):
        kept["autocast to bfloat16"] = measure(variants["float32"], 2, seq_len)
    passes = {}
    for name in ("float32", "checkpointed"):
        forward, backward = count_products(variants[name], tokens)
        passes[name] = 1 + backward / forward
        print(f"{name:13} takes {passes[name]:.2f} forward passes a step")
    plots.memory_bars(
        {name: {"kept from one pass": size} for name, size in kept.items()},
        f"Four blocks, B = 2, T = {seq_len}, attention step by step unless fused",
    )
    check(
        "prediction saving",
        {
            "share kept in bfloat16": kept["bfloat16 throughout"] / kept["float32"],
            "share kept under autocast": kept["autocast to bfloat16"] / kept["float32"],
            "share kept by checkpoints": kept["checkpointed"] / kept["float32"],
            "forward passes with checkpoints": passes["checkpointed"],
        },
        within=0.1,
        or_by=0.15,
    )

# %% [markdown]
# **You should see** that bfloat16 takes half when *everything* is bfloat16, and that autocast saves
# nothing: what it casts, it keeps beside the original. Checkpointing leaves a stump, with fused
# attention or without; a training step then takes nearly four forward passes in place of three. Not
# four, since the head lies outside the checkpoints, and the second computation of a block stops as soon
# as all is there that the backward pass needs: before its last product, `down`. So 524,288 of 668,160
# operations for each token are repeated, 0.785 of a forward pass.
#
# The peak of a checkpointed step is higher than the stump, by what one block keeps while it is
# computed for the second time.
#
# ### Task 3 · The largest batch that fits
#
# *Difficulty: ●○○○○ · about 10 minutes*
#
# Memory is given, and so is what the model takes whatever the batch. Each sequence adds the same.
# Numbers go in, a number comes out: which estimates are put in is up to whoever calls it.
#
# What fits exactly, fits, but floats are rounded: `100 * (1 - 0.8)` is 19.999999999999996, a bit less
# than `100 - 100 * 0.8`, and `500 // 0.1` is 4999. So allow for it: let a batch fit if it is too large
# by no more than 1e-9 of a sequence, and no batch that is too large by a millionth of one.

# %% solution="largest_batch"

# %%
check("batch_by_hand")

# %% [markdown]
# **Look at it.** Training the four sizes on a card with 16 GiB, on sequences of 512 tokens, all in
# float32, with the loss of a vocabulary of 10,000.

# %%
with plots.demo():
    print(f"{'size':7}{'batch':>8}{'batch, fused':>15}")
    for size, model in models.items():
        fixed = estimate_model_memory(model)["total_training"]
        loss = 512 * 10_000 * 4 / 1024**2
        each = [
            loss + estimate_activation_memory(model, 1, 512, fused_attention=fused)
            for fused in (False, True)
        ]
        batches = [largest_batch(16 * 1024, fixed, per_sequence) for per_sequence in each]
        print(f"{size:7}{batches[0]:8,}{batches[1]:15,}")

# %% [markdown]
# *Hidden: fractions, a reserve of your own, what fits exactly, rounded or not, and what does not fit.*
#
# *Difficulty: ●●○○○ · about 5 minutes*

# %% question="largest_batch"

# %% [markdown]
# ## Part 6: What generating keeps
#
# Generating has no backward pass, and keeps no activations. But the next token attends to all tokens
# before it, and their keys and values are the same in every step: one keeps them. (Notebook 6 has a
# *KV cache* as a bonus.) In each of $L$ blocks that is a key and a value for each position and head,
#
# $$2 \cdot L \cdot B \cdot T \cdot H \cdot d_k \text{ elements, with } H d_k = d .$$
#
# It grows with the length of the text, without end, and with each text that is generated at the same
# time. And there is no way to compute it piece by piece: each step has to read all of it.
#
# So one saves heads. **Multi-query attention** (Shazeer 2019, section 3) has one key and one value for
# all heads, which still ask different queries. **Grouped-query attention** (Ainslie et al. 2023,
# section 2.2) is between the two: heads are put into groups, and each group shares a key and a value.
# With $H_{kv}$ groups the cache takes $H_{kv} / H$ of what it took. Queries, and the attention weights,
# are as many as before.
#
# ### Task 4 · A cache of keys and values
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# `model`, the two numbers and the dtype can be given without their names, in this order. A model of
# ours has keys and values for every head; `n_kv_heads` says what there would be with fewer.

# %% solution="estimate_kv_cache"

# %%
check("cache_by_hand")

# %% [markdown]
# **Look at it.** The *large* model, one text of up to 2,048 tokens. In float32 the full cache takes
# 144 MiB a text, so that three texts take more than the model itself.

# %%
with plots.demo():
    large, lengths = models["large"], (128, 256, 512, 1024, 2048)
    kept = {}
    for n_kv_heads, name in ((12, "12 (each its own)"), (4, "4"), (1, "1 (multi-query)")):
        cached = [estimate_kv_cache(large, 1, n, n_kv_heads=n_kv_heads) for n in lengths]
        kept[name] = (lengths, cached)
        print(f"{n_kv_heads:2} key-value heads: {cached[-1]:6.1f} MiB for 2,048 tokens")
    print(f"weights:           {estimate_model_memory(large)['inference_only']:6.1f} MiB")
    plots.curves({"T": kept}, "Cache of large by key-value heads", "MiB in float32", log="x")

# %% [markdown]
# **You should see** three curves that double with each doubling of the length; with four key-value
# heads a third of the full cache, with one a twelfth.
#
# *Hidden: other models, dtypes, batches and groups.*
#
# *Difficulty: ●●○○○ · about 5 minutes*

# %% question="kv_cache"

# %% [markdown]
# ## Part 7: What training costs
#
# Nearly all of the work is in products of matrices. In $(m, k) \times (k, n)$ each of $mn$ results
# adds up $k$ products: $2mkn$ **floating-point operations** (FLOPs; a multiplication and an addition
# count as two). Biases, norms, softmax and GELU need some operations for each *element*, and elements
# are few beside that: they are left out, here as everywhere.
#
# | part of a block | product | how often |
# |---|---|---|
# | projections | $(BT, d) \times (d, d)$ | 4: to queries, keys, values, and out |
# | scores | $(T, d_k) \times (d_k, T)$ | $BH$ |
# | weighted sum | $(T, T) \times (T, d_k)$ | $BH$ |
# | feed-forward | $(BT, d) \times (d, f)$ and $(BT, f) \times (f, d)$ | 1 each |
#
# And once, after the blocks, the head: $(BT, d) \times (d, V)$. The embedding multiplies nothing: it
# looks up rows. A causal mask forbids half of the scores, but step by step they are computed all the
# same, so that all of them count.
#
# **Backward.** Take $Y = XW$. The backward pass needs $\partial\ell/\partial W = X^\top G$ for the
# weights and $\partial\ell/\partial X = G W^\top$ for what comes before, with the gradient $G$ of $Y$:
# two products, each as large as the one of the forward pass.
#
# ### Task 5 · Operations, part by part
#
# *Difficulty: ●●●○○ · about 20 minutes*

# %% solution="estimate_flops"

# %%
check("flops_by_hand")

# %% [markdown]
# **Look at it.** `FlopCounterMode` watches PyTorch and counts the products that really happen: `mm`,
# `addmm`, `bmm` and convolutions. What goes element by element it does not count. Fused attention is
# counted where a GPU computes it, with all of its scores; its kernel for processors is overlooked, as
# the last column shows.

# %%
with plots.demo():
    print("  V  d  H L   f B  T    forward      yours   backward      yours  forward, fused")
    shapes = (  # vocab_size, d_model, n_heads, n_layers, d_ff, B, T
        (100, 32, 4, 2, 64, 2, 16),
        (101, 24, 3, 3, 100, 1, 33),
        (50, 16, 1, 4, 40, 3, 70),
    )
    for *sizes, batch_size, seq_len in plots.rows(shapes):
        tokens = torch.randint(0, 50, (batch_size, seq_len))  # (B, T)
        forward, backward = count_products(PlainModel(*sizes), tokens)
        overlooked, _ = count_products(PlainModel(*sizes, fused=True), tokens)
        flops = estimate_flops(PlainModel(*sizes), batch_size, seq_len)
        print(
            "{:3} {:2} {:2} {} {:3} {} {:2}".format(*sizes, batch_size, seq_len)
            + f" {forward:10,} {flops['forward']:10,} {backward:10,} {flops['backward']:10,}"
            + f" {overlooked:15,}"
        )

# %% [markdown]
# *Hidden: each part by itself, the totals, and sizes that must make no difference.*
#
# *Difficulty: ●●○○○ · about 5 minutes*

# %% question="flops"

# %% [markdown]
# ### 6 operations for each parameter and token
#
# Each element of a matrix meets each token once, in a multiplication and an addition: 2 operations
# forward, 4 backward. So training $N$ parameters on $D$ tokens takes about
#
# $$C \approx 6 N D$$
#
# operations (Kaplan et al. 2020, section 2.1). This is right where all parameters are matrices that
# every token passes, and where nothing but parameters is multiplied. It is wrong
#
# - for **long sequences**: scores and weighted sum have no parameters. They add $12 L d T$ operations
#   for each token, which is, with $f = 4d$ and next to blocks alone, $T / (6d)$ of the rule;
# - for **large vocabularies**, in one of two directions. The table of an embedding is looked up, not
#   multiplied: untied, it is counted for nothing. Leave embeddings out of $N$, as Kaplan et al. do, and
#   the head is forgotten, which for a small model is most of the work. Tied, the one table is
#   multiplied once, as the head, and counting it once is right.
#
# Take *tiny* and *large*, with tied weights and a vocabulary of 10,000. How many times $6ND$ do they need?

# %%
PREDICTED_RULE = {
    "tiny, T = 128": None,
    "tiny, T = 16,384": None,
    "large, T = 16,384": None,
}  # your guesses, then run both cells

# %%
with plots.demo():

    def ratio(model, seq_len, n_parameters=None):
        """Operations of training on one sequence, in units of 6 N D."""
        flops = estimate_flops(model, 1, seq_len)
        n_parameters = n_parameters or model.count_parameters()
        return (flops["forward"] + flops["backward"]) / (6 * n_parameters * seq_len)

    lengths = plots.rows((128, 256, 512, 1024, 2048, 4096, 8192, 16384))
    lines = {
        size: (lengths, [ratio(models[size], length) for length in lengths])
        for size in ("tiny", "small", "large")
    }
    words = plots.rows((1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000))
    tables = {"tied": (words, []), "untied": (words, []), "no table in N": (words, [])}
    for vocab_size in words:
        with torch.device("meta"):
            tied, untied = (
                TinyTransformerLM(vocab_size, **PRESETS["tiny"], tie_weights=tie)
                for tie in (True, False)
            )
        without = tied.count_parameters() - vocab_size * tied.d_model
        for name, found in (
            ("tied", ratio(tied, 64)),
            ("untied", ratio(untied, 64)),
            ("no table in N", ratio(tied, 64, without)),
        ):
            tables[name][1].append(found)
    plots.curves(
        {"T": lines, "V": tables},
        "Operations of training: left for V = 10,000, right for tiny with T = 64",
        "times 6 N D",
        log="xy",
    )
    check(
        "prediction rule",
        {
            "tiny, T = 128": lines["tiny"][1][0],
            "tiny, T = 16,384": lines["tiny"][1][-1],
            "large, T = 16,384": lines["large"][1][-1],
        },
        within=0.2,
    )

# %% [markdown]
# **You should see** on the left that all curves begin near 1 and leave it the sooner the narrower the
# model is. On the right only the tied model stays near 1: untied, the rule comes to promise twice the
# work, and without the table in $N$ far too little.
#
# ### What a budget buys
#
# With $C$ operations one can train a large model on few tokens, or a small one on many. Hoffmann et
# al. (2022) trained more than 400 models to find out which is best: size and data should grow
# *together*, and in their table 3 that is about 20 tokens for each parameter. It is the best for the
# budget of *training*: who generates a lot with the model afterwards takes a smaller one and trains it
# for longer.
#
# ### How well a machine is used
#
# A GPU's data sheet promises a *peak* of operations per second. **Model FLOPs utilization** (MFU) is
# the share of it that trains: operations that the *model* needs for each token, times tokens per
# second, over the peak. What is computed twice, as by checkpointing, does not count as more (Chowdhery
# et al. 2022, appendix B):
#
# $$\text{MFU} = \frac{\text{tokens per second} \cdot (6N + 12\,L H Q T)}{\text{peak}}$$
#
# with heads of width $Q$. Compare with Task 5: the first term is what matrices take, the second the
# scores and the weighted sum, forward and backward.
#
# ### Task 6 · The best use of a budget
#
# *Difficulty: ●●○○○ · about 10 minutes*

# %% solution="chinchilla_optimum"

# %%
check("budget_by_hand")

# %% [markdown]
# ### Task 7 · Utilization
#
# *Difficulty: ●○○○○ · about 5 minutes*

# %% solution="model_flops_utilization"

# %%
check("utilization_by_hand")

# %% [markdown]
# **Look at it.** Gopher's budget, with which Chinchilla was trained (70 billion parameters, 1.4
# trillion tokens); then what our sizes would deserve, on one GPU with a peak of 312 × 10¹² operations
# per second (an A100 in bfloat16) of which 40 % are used. And PaLM's own numbers: its authors report
# 46.2 %.

# %%
with plots.demo():
    n_parameters, n_tokens = chinchilla_optimum(5.76e23)
    print(f"5.76e23 operations: {n_parameters:.3g} parameters, {n_tokens:.3g} tokens\n")
    for size, model in models.items():
        count = model.count_parameters()
        budget = 6 * count * 20 * count
        minutes = budget / (0.4 * 312e12) / 60
        print(f"{size:7} {count:11,} parameters, {20 * count:13,} tokens: {minutes:6.1f} minutes")
    share = model_flops_utilization(
        n_parameters=540.35e9,
        n_layers=118,
        n_heads=48,
        d_head=256,
        seq_len=2048,
        tokens_per_s=238_300,
        peak=6144 * 275e12,
    )
    print(f"\nPaLM on 6,144 TPU v4: {share:.1%}")

# %% [markdown]
# **This machine.** Its peak is what one large product reaches, and the rest is a training step with a
# clock beside it. On one core of an ordinary processor, utilization is higher than one might think:
# the peak is low, and memory keeps up with it.

# %%
with plots.demo():

    def seconds(run, times):
        """The shortest of a few runs: whatever disturbs them makes them longer."""
        spent = []
        for _ in plots.steps(times):
            begin = time.perf_counter()
            run()
            spent.append(time.perf_counter() - begin)
        return min(spent)

    side = 32 * len(plots.steps(24))
    square = torch.randn(side, side)
    peak = 2 * side**3 / seconds(lambda: square @ square, 5)
    model, seq_len = PlainModel(1000, 128, 4, 2, 512), len(plots.steps(128))
    tokens = torch.randint(0, 1000, (4, seq_len))  # (B, T)
    taken = seconds(lambda: model(tokens).sum().backward(), 5)
    share = model_flops_utilization(
        n_parameters=sum(  # without the table: its rows are looked up
            parameter.numel()
            for part in (model.blocks, model.ln_f, model.lm_head)
            for parameter in part.parameters()
        ),
        n_layers=2,
        n_heads=4,
        d_head=32,
        seq_len=seq_len,
        tokens_per_s=tokens.numel() / taken,
        peak=peak,
    )
    print(f"peak {peak / 1e9:.0f} billion operations a second, of which training uses {share:.0%}")

# %% [markdown]
# *Hidden: other budgets, other machines.*
#
# *Difficulty: ●○○○○ · about 2 minutes*

# %% question="budget"

# %% [markdown]
# ## When something is off
#
# | what you see | what it often is |
# |---|---|
# | off by 1.05 | 1,000,000 bytes instead of 1024 × 1024 |
# | off by 4, 8 or a million | bits, elements or bytes instead of MiB |
# | right in float32, wrong in float64 or int8 | `4 if … else 2` instead of `dtype.itemsize` |
# | the result follows the model's dtype | it is the dtype that is *asked for* that counts |
# | tied models are too large | parts added up one by one; `parameters()` lists a shared one once |
# | frozen models are too small | `requires_grad` was looked at |
# | `max_len` changes the result | `state_dict()` or buffers were counted, or `max_len` took the place of `T` |
# | right for $f = 4d$ only | `d_ff` was replaced by `4 * d_model` |
# | a bit too small, the more so with narrow models | LayerNorm's two numbers, or the part after the blocks |
# | a bit too small in 16 bits only | LayerNorm's two numbers count 4 bytes in every dtype |
# | about twice as much $T^2$ as measured | the scores before the softmax are not kept |
# | half as many operations | a multiplication and an addition are two |
# | a factor of $H$ in the scores | $H$ heads are $d_k$ wide each, together $d$ |
# | a cache of half the size | keys *and* values |
# | a batch that is one too small when it fits exactly | `<` in place of `<=`, or a subtraction that is rounded |
#
# ## Hand in
#
# Restart the kernel and run all cells. Then look at all public checks once more, those for practice
# among them, save, and hand in this file.

# %%
check()

# %% [markdown]
# ## Go further (not graded)
#
# 1. **Your own size.** Take the configuration between *small* and *medium* that you made in notebook
#    4. What does training it on 64 sequences of 1,024 tokens take? What is the largest batch for a
#    card with 16 GiB? How many tokens does it deserve?
# 2. **Dropout.** Add dropout to `PlainBlock`, after the softmax and on both branches, and measure
#    again. What does it keep? Extend the formula.
# 3. **Checkpointing, but not everything.** Checkpoint groups of $k$ blocks in place of single ones.
#    What is kept, and what does the backward pass need at its peak, while it computes one group
#    again? Which $k$ makes the sum smallest? (Chen et al. 2016 find about $\sqrt{L}$.)
# 4. **On a GPU.** Compare the estimate with `torch.cuda.max_memory_allocated()`, before and after
#    the backward pass. What is the difference made of?
#
# ## References
#
# - Loshchilov and Hutter (2019), [Decoupled Weight Decay
#   Regularization](https://arxiv.org/abs/1711.05101), algorithm 2: AdamW's two averages.
# - Micikevicius et al. (2018), [Mixed Precision Training](https://arxiv.org/abs/1710.03740).
# - Korthikanti et al. (2022), [Reducing Activation Recomputation in Large Transformer
#   Models](https://arxiv.org/abs/2205.05198), section 4: the same count, with dropout, in 16 bits.
# - Dao et al. (2022), [FlashAttention](https://arxiv.org/abs/2205.14135).
# - Chen et al. (2016), [Training Deep Nets with Sublinear Memory
#   Cost](https://arxiv.org/abs/1604.06174).
# - Shazeer (2019), [Fast Transformer Decoding: One Write-Head is All You
#   Need](https://arxiv.org/abs/1911.02150); Ainslie et al. (2023), [GQA: Training Generalized
#   Multi-Query Transformer Models from Multi-Head Checkpoints](https://arxiv.org/abs/2305.13245).
# - Kaplan et al. (2020), [Scaling Laws for Neural Language
#   Models](https://arxiv.org/abs/2001.08361), section 2.1; Hoffmann et al. (2022), [Training
#   Compute-Optimal Large Language Models](https://arxiv.org/abs/2203.15556), section 3.
# - Chowdhery et al. (2022), [PaLM: Scaling Language Modeling with
#   Pathways](https://arxiv.org/abs/2204.02311), appendix B.
# - PyTorch, [Hooks for saved tensors](https://docs.pytorch.org/docs/stable/notes/autograd.html#saved-tensors-hooks-doc).
#
# Next: **6 · Generation**: the model writes.
