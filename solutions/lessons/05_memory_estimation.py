# %% [markdown]
# # 5 · Memory estimation
#
# *CUDA out of memory* is an answer to a question that can be answered before: will it fit? In this
# notebook you compute what a model needs to be stored, what training adds, and what one pass over a
# batch adds to that. Then you hold your numbers against what PyTorch really keeps.
#
# Afterwards you will be able to
#
# - turn a number of parameters into bytes, for inference and for training with AdamW;
# - say which tensors autograd keeps, and why these;
# - derive the memory of a forward pass from the sizes of a model, and measure it;
# - judge rules of thumb, and know when attention's T × T matrices are the problem;
# - decide what to change when it does not fit.
#
# **How it works.** Two functions below say `# YOUR CODE HERE`. `check("keys")` tells you at once
# whether names and units are right; cells that say *graded after you hand in* stand for hidden checks.
# Models come with the course, so that nothing here depends on your earlier notebooks.

# %%
import math
import sys

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
    print(f"{name:11} {size / 1024**2:8.4f} MiB")

# %% [markdown]
# **Write it down.** The result is a dict with five sizes in MiB. All of them are about the dtype that
# is asked for, whatever dtype the model happens to have.

# %% solution="estimate_model_memory"

# %%
check("weights")

# %% [markdown]
# **Look at it.** The four sizes of the course, with a vocabulary of 10,000. (On the device `meta`,
# tensors have a shape and no content: a large model weighs nothing there.)

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
        {f"{n}: {tuple(t.shape)}": size_of([t]) for n, t in enumerate(saved, 1)},
        f"A block with B = {B}, T = {T}, d_model = {d_model}, {n_heads} heads, d_ff = {d_ff}",
    )

# %% [markdown]
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
# After the last block, `ln_f` and `lm_head` keep something too; the embedding keeps nothing but ids.
# Add up what `PlainBlock` and these two keep, and you have the formula. Let $b$ be the bytes of an
# element; how often each term occurs is yours to fill in (the terms without $b$ are the small ones):
#
# $$
# L\,\big[(\,\square\, BTd + \square\, BTf + \square\, BHT^2)\,b + \square\, BT\big]
# + \square\, BTd\,b + \square\, BT
# $$
#
# with $L$ blocks, $H$ heads, $d = d_{\text{model}}$, $f = d_{\text{ff}}$. Nothing here assumes
# $f = 4d$, and `max_len` and the vocabulary do not occur: what counts is the batch that runs.
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
    """A language model of plain blocks."""

    def __init__(self, vocab_size, d_model, n_heads, n_layers, d_ff, fused=False):
        super().__init__()
        self.d_model, self.n_heads, self.n_layers, self.d_ff = d_model, n_heads, n_layers, d_ff
        self.embedding = TransformerEmbedding(vocab_size, d_model, max_len=2048, dropout=0.0)
        self.blocks = nn.ModuleList(
            PlainBlock(d_model, n_heads, d_ff, fused) for _ in range(n_layers)
        )
        self.ln_f = nn.LayerNorm(d_model)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)

    def forward(self, tokens):  # (B, T) -> (B, T, V)
        x, mask = self.embedding(tokens), causal(tokens.size(1))
        for block in self.blocks:
            x = block(x, mask)
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

# %% question="measurement"

# %% [markdown]
# Off by a few percent? Compare the *differences*: change one size at a time, in the measurement and
# in your estimate, and see which term does not keep up.
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

# %% question="activations"

# %% [markdown]
# ## Part 4: When do the T × T matrices dominate?
#
# Attention's weights grow with $T^2$, everything else with $T$. One often reads that they dominate.
# Compare within a block, with $f = 4d$ and $d = H d_k$: the weights take $HT^2$ elements a sequence,
# the rest $8Td + 2Tf = 16\,T H d_k$. So they dominate only for
#
# $$T > 16\, d_k .$$
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

# %% question="fused_attention"

# %% [markdown]
# ## Part 5: Will it fit?
#
# Everything together, for training *small* on 64 sequences of 1,024 tokens, in float32:

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

# %% [markdown]
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
#
# ## Hand in
#
# Restart the kernel and run all cells. Then look at all public checks once more, save, and hand in
# this file.

# %%
check()

# %% [markdown]
# ## Go further (not graded)
#
# 1. **Your own size.** Take the configuration between *small* and *medium* that you made in notebook
#    4. What does training it on 64 sequences of 1,024 tokens take? What is the largest batch for a
#    card with 16 GiB?
# 2. **Dropout.** Add dropout to `PlainBlock`, after the softmax and on both branches, and measure
#    again. What does it keep? Extend the formula.
# 3. **Checkpointing.** Wrap the call of each block in `torch.utils.checkpoint.checkpoint(block, x,
#    mask, use_reentrant=False)`, and measure. Which formula holds now?
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
# - PyTorch, [Hooks for saved tensors](https://docs.pytorch.org/docs/stable/notes/autograd.html#saved-tensors-hooks-doc).
#
# Next: **6 · Generation**: the model writes.
