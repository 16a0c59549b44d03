# %% [markdown]
# # 2 · Blocks
#
# After the embedding, each vector knows its token and its place, and nothing about its neighbours.
# In this notebook you build what changes that: the Transformer block. It takes `(B, T, d_model)` and
# returns `(B, T, d_model)`, so that any number of them can be stacked.
#
# Afterwards you will be able to
#
# - write attention in a few lines, and say what it averages and with which weights;
# - say why scores are divided by $\sqrt{d_k}$, and why a mask belongs before the softmax;
# - split vectors into heads and merge them again without mixing up positions;
# - assemble a pre-norm block, and say what runs past the sublayers untouched;
# - find out what a module does from outside: change an input, and watch which outputs move.
#
# **How it works.** Five cells below say `# YOUR CODE HERE`: replace that line and the next.
# What the hidden checks look at is nearly always the last class, `TransformerBlock`; the others are
# its parts. `check("attention")` and its like tell you at once whether their shapes, sums and masks
# are right; how scores are scaled, and whether positions stay apart, only the hidden checks tell.
# While a part is unsolved, another one stands in for it when you are graded: it costs what asks for
# it, and no more.
#
# How you name parameters, and how you lay out matrices, is up to you: one for queries, keys and
# values, or three, or three for each head, either way round. Checks find them by their shapes,
# so keep a matrix apart from its bias, the network apart from attention, and its two maps apart.
#
# Nothing from notebook 1 is needed: the course brings an embedding along.

# %%
import math
import sys

import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path += [".", "..", "../.."]  # the folder `course` lies here or above
try:
    from course import check, load, plots
except ModuleNotFoundError:
    message = "The folder `course` is not here: open this notebook inside the unpacked course."
    raise ModuleNotFoundError(message) from None

ASSIGNMENT = "blocks"  # tells check() which notebook this is
torch.set_num_threads(1)  # small models are faster on one, by far where others compute as well
torch.manual_seed(0)
print("Ready: torch", torch.__version__)

# %% [markdown]
# ## The idea
#
# A block does two things, each in a branch of its own. In the first, every position *looks around*
# and gathers what it needs from the others: **attention**. In the second, every position *thinks it
# over* by itself: a small **feed-forward** network. What a branch finds is added to the vectors; the
# vectors themselves run straight through.

# %%
plots.block()

# %% [markdown]
# | name | meaning | the smallest GPT-2 |
# |---|---|---|
# | `n_heads` | attentions side by side | 12 |
# | `d_k` | numbers that each of them compares, `d_model / n_heads` | 64 |
# | `d_ff` | width of the feed-forward network | 3,072 |
# | `T`, `S` | queries, keys: how many look, and how many are looked at | up to 1,024 |
#
# In this notebook everybody looks at the same sequence they stand in, so $S = T$; attention itself
# doesn't care.
#
# ## Part 1: Attention
#
# A dictionary compares your query with its keys, finds the one that is equal, and returns its value.
# Attention is a dictionary that is never sure: it compares the query with *all* keys, by dot
# products, turns these scores into weights that add up to 1, and returns the weighted average of
# *all* values. Because nothing in it is a yes or a no, it has gradients, and can be learned.

# %%
keys = torch.tensor([[4.0, 0.0], [0.0, 4.0], [3.0, 3.0]])  # (S, d_k) = (3, 2)
values = torch.tensor([[10.0], [20.0], [30.0]])  # (S, d_v) = (3, 1)
for query in (torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])):  # (d_k,)
    shares = torch.softmax(keys @ query, dim=0)  # (S,)
    answer = shares @ values  # (d_v,)
    print(f"query {query.tolist()}: weights {[round(w, 2) for w in shares.tolist()]}, ", end="")
    print(f"answer {answer.item():.1f}")

# %% [markdown]
# Every position asks a question of its own, so there are $T$ queries, and all scores together are a
# matrix with a row for each query and a column for each key (Vaswani et al. 2017, equation 1):
#
# $$
# \operatorname{Attention}(Q, K, V) =
# \operatorname{softmax}\!\left(\frac{Q K^\top}{\sqrt{d_k}}\right) V
# $$

# %%
plots.pipeline(
    [
        ("Q and K", "(…, T, d_k)"),
        ("scores\nQ Kᵀ / √d_k", "(…, T, S)"),
        ("mask", "(…, T, S)"),
        ("softmax\nover keys", "(…, T, S)"),
        ("average of V", "(…, T, d_v)"),
    ],
    "Scaled dot-product attention",
)

# %% [markdown]
# **The softmax runs over the keys**, the last dimension: each *row* adds up to 1. Over the queries
# it would run too, and give something that looks like attention and isn't.
#
# **Why $\sqrt{d_k}$?** Let a query and a key consist of $d_k$ independent numbers with mean 0 and
# variance 1. Their dot product is a sum of $d_k$ products, each with variance 1: its standard
# deviation is $\sqrt{d_k}$. Scores that large push the softmax to where one key takes everything,
# and where its gradient is almost zero. Measured:

# %%
d_ks = [4, 16, 64, 256, 1024]
plain = []
for d_k in d_ks:
    q, k = torch.randn(2000, d_k), torch.randn(2000, d_k)  # (2000, d_k) each
    plain.append((q * k).sum(dim=-1).std().item())
plots.score_growth(
    d_ks, plain, [std / math.sqrt(d_k) for std, d_k in zip(plain, d_ks, strict=True)]
)

# %% solution="softmax"

# %% question="softmax"

# %% question="softmax_values"

# %% [markdown]
# ### The mask
#
# In a language model, position $t$ predicts token $t + 1$. If it could look there, there would be
# nothing to predict. So it is given a *causal* mask: position $t$ may attend to positions
# $0, 1, \dots, t$, itself included. Without that, the first row would have nowhere to look.
#
# Throughout the course a mask is what `F.scaled_dot_product_attention` takes as `attn_mask`:
#
# | `mask` | meaning |
# |---|---|
# | `None` | hide nothing, not even the future |
# | bool | True where a query (row) *may* attend to a key (column) |
# | float | added to the scaled scores: 0 to allow, `-inf` to forbid |
#
# and it is *broadcast* to the shape of the scores. Of a float mask only these two values are asked
# for: whether you add it, or read it another way, is up to you. So is what becomes of integers.
# "Forbid" means it, however large a score may be: -100 in place of `-inf` would do for small ones
# only. (Beware: PyTorch's own `nn.MultiheadAttention`
# reads a bool mask the other way round.)

# %% solution="causal_mask"

# %%
check("mask")

# %%
with plots.demo():
    print(causal_mask(5).int())

# %% [markdown]
# **A mask belongs before the softmax**, as `-inf`, because $e^{-\infty}$ is exactly 0, and the
# softmax then shares the whole weight among what is left. Two other ways look plausible; both are
# classics. Here are four equal scores, and a query that may see the first two keys:

# %%
with plots.demo():
    scores = torch.zeros(4)  # (S,)
    may_see = torch.tensor([1.0, 1.0, 0.0, 0.0])  # (S,)
    forbid = torch.tensor([0.0, 0.0, -math.inf, -math.inf])  # (S,)
    attempts = {
        "-inf added before the softmax": (scores + forbid).softmax(dim=-1),
        "1 and 0 added to the scores": (scores + may_see).softmax(dim=-1),
        "zeros after the softmax": scores.softmax(dim=-1) * may_see,
    }
    for name, row in attempts.items():
        weights_row = [round(w, 2) for w in row.tolist()]
        print(f"{name:30} weights {weights_row}, sum {row.sum():.2f}, hidden {row[2:].sum():.2f}")

# %% [markdown]
# The second way still sees the hidden keys. The third sees them in a subtler way: their scores have
# taken part in the denominator, and the rest no longer adds up to 1.
#
# **Dropout** acts on the weights, after the softmax: while training, some of them become 0 and the
# others grow by $1/(1-p)$. (Dropping *scores* would be another thing: a score of 0 is an ordinary
# score, and 0 times `-inf` is not a number.)

# %% solution="scaled_dot_product_attention"

# %% question="attention"

# %% [markdown]
# **Look at it.** PyTorch has this function too, fused into one kernel that never stores the weights.
# The two agree up to rounding. In the picture, each row adds up to 1; under the causal mask, what
# was spent on later words is now shared among the earlier ones.

# %%
with plots.demo():
    words = ["the", "cat", "sat", "on", "the", "mat"]
    q, k, v = torch.randn(3, len(words), 16).unbind()  # (T, d_k) each
    mask = causal_mask(len(words))  # (T, T)
    out, weights = scaled_dot_product_attention(q, k, v, mask)  # (T, d_k), (T, T)
    fused = F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=mask)[0]
    print(f"largest difference from PyTorch's: {(out - fused).abs().max().item():.1e}")
    _, unmasked = scaled_dot_product_attention(q, k, v)
    plots.attention_weights({"no mask": unmasked, "causal": weights}, words, "Random vectors")

# %% question="score_scale"

# %% [markdown]
# ## Part 2: Several heads
#
# One softmax gives one average. But a word may want to know several things at once: which noun it
# belongs to, *and* whether the sentence is a question. So attention is done `n_heads` times, each
# time on `d_k = d_model / n_heads` columns of its own: as much arithmetic as one wide attention, but
# that many different averages. Four linear maps, `d_model` to `d_model`, go with it: three that make
# queries, keys and values out of the vectors, and a last one that mixes what the heads have found.
#
# The shapes, step by step:
#
# | step | shape |
# |---|---|
# | project: `q`, `k`, `v` | `(B, T, d_model)` |
# | split the last dimension | `(B, T, n_heads, d_k)` |
# | heads beside the batch | `(B, n_heads, T, d_k)` |
# | attend, all heads at once | `(B, n_heads, T, d_k)`, weights `(B, n_heads, T, S)` |
# | heads back beside their columns | `(B, T, n_heads, d_k)` |
# | merge | `(B, T, d_model)` |
# | project: `out` | `(B, T, d_model)` |
#
# Splitting comes first, swapping second, and on the way back the other way round. Reshaping straight
# to `(B, n_heads, T, d_k)` gives the right shape and the wrong numbers. Below, the tens say which
# position a number comes from, and the ones say which column:

# %%
with plots.demo():
    places = torch.tensor([[10, 11, 12, 13], [20, 21, 22, 23], [30, 31, 32, 33]])  # (T, d_model)
    print("head 0 should get columns 0 and 1 of each position:\n", places[:, :2])
    print("a reshape alone gives it parts of different positions:\n", places.reshape(2, 3, 2)[0])

# %% [markdown]
# A mask now has to fit `(B, n_heads, T, S)`. Broadcasting does that: `(T, T)` serves all heads of all
# sequences, `(B, 1, T, T)` is one mask for each sequence, and `(B, 1, 1, T)` hides some keys, such as
# padding, from every query. Don't insist on one of these shapes.

# %% solution="MultiHeadAttention"

# %% question="heads"

# %% [markdown]
# **Look at it.** Four heads, not trained at all: each already spreads its attention in its own way.
# If two of the panels were equal, the heads would share their columns.

# %%
with plots.demo():
    heads = MultiHeadAttention(d_model=64, n_heads=4).eval()
    x = 3 * torch.randn(1, len(words), 64)  # (B, T, d_model), large, so that there is a pattern
    out, weights = heads(x, x, x, causal_mask(len(words)))  # weights: (B, n_heads, T, T)
    print("output", tuple(out.shape), "weights", tuple(weights.shape))
    panels = {f"head {head}": weights[0, head] for head in range(4)}
    plots.attention_weights(panels, words, "Four heads")

# %% [markdown]
# ## Part 3: Feed-forward
#
# Attention moves information between positions, but what it computes with it is only an average.
# The second sublayer does the computing: widen each position's vector to `d_ff` numbers, bend them,
# narrow them again,
#
# $$\operatorname{FFN}(x) = \operatorname{GELU}(x W_1 + b_1)\, W_2 + b_2$$
#
# (Vaswani et al. 2017, equation 2, with another activation). Every position goes through the same
# weights, and none sees another.
#
# GELU is $x \cdot \Phi(x)$, where $\Phi$ is the cumulative distribution function of the standard
# normal distribution (Hendrycks and Gimpel 2016):
# $\Phi(x) = \tfrac{1}{2}\big(1 + \operatorname{erf}(x / \sqrt 2)\big)$. GPT-2 used an approximation by
# tanh, from a time when the error function was slow. We use the exact one.

# %%
plots.activations()

# %% [markdown]
# Dropout acts on the activations, between the two maps: after GELU, not before it.

# %% solution="FeedForward"

# %% question="feed_forward"

# %% [markdown]
# **Look at it.** Change one position, and watch all outputs: only that position moves.

# %%
with plots.demo():
    network = FeedForward(d_model=64, d_ff=256).eval()
    x = torch.randn(1, 5, 64)  # (B, T, d_model)
    changed = x.clone()
    changed[:, 2] = torch.randn(64)
    distances = (network(changed) - network(x)).norm(dim=-1)[0]  # (T,)
    print("each position's output moved by", [round(d, 2) for d in distances.tolist()])

# %% question="gelu"

# %% solution="LayerNorm"

# %% question="layer_norm"

# %% question="norm_values"

# %% [markdown]
# ## Part 4: The block
#
# Two lines say it all, and the order of their operations matters:
#
# $$
# \begin{aligned}
# x &\leftarrow x + \operatorname{Attention}(\operatorname{LayerNorm}_1(x)) \\
# x &\leftarrow x + \operatorname{FFN}(\operatorname{LayerNorm}_2(x))
# \end{aligned}
# $$
#
# - **The sum is never normalised.** The vectors that run straight through are the *residual stream*.
#   The gradient of $x + f(x)$ with respect to $x$ is $1 + f'(x)$: whatever $f$ does, the 1 carries
#   the gradient down to the first layer.
# - **What enters a sublayer is normalised**, by a LayerNorm of its own, so that a sublayer reads
#   numbers of size 1 however large the stream has become, and what it adds stays bounded. This is
#   *pre-norm*. The original Transformer normalised the sum instead, $\operatorname{LayerNorm}(x +
#   f(x))$; such a *post-norm* model needs its learning rate warmed up carefully (Xiong et al. 2020).
# - **Attention first, then feed-forward**, and the second reads what the first has written.
# - **Dropout** acts in three places: on the attention weights, on the activations, and on the output
#   of each sublayer before it is added. All that follows there is linear, so on average a branch
#   adds in training what it adds in `eval()` mode. Models differ in these places: what is asked for
#   is one in each branch. Never on the sum: what runs past must arrive whole. In `eval()` mode, and
#   with `dropout=0`, nothing is dropped.
# - **A block without a mask is not causal.** It hands the mask it is given to its attention. Making
#   a causal one is the model's job, in notebook 3.
# - **`bias=False`** leaves out the biases of all linear maps. (That of LayerNorm may go too.)
# - **The result is always a pair**: the new vectors, and the attention weights of each head, or
#   `None` when nobody asked for them.
#
# Use your classes from above, and `nn.LayerNorm`; its epsilon is up to you.

# %% solution="TransformerBlock"

# %% question="shapes"

# %% [markdown]
# **Who influences whom?** You can find out without opening the block: change the input at one
# position, and measure how far each output moves. Without a mask everything moves; under the causal
# mask nothing above the diagonal does, and when each position may attend to itself alone, only the
# diagonal is left. The diagonal is off the scale of the colours: whatever the mask, a position keeps
# its own vector.

# %%
with plots.demo():

    def measure_influence(block, mask, n_positions=6):
        """How far output t (row) moves when input s (column) is redrawn, as (T, T)."""
        x = torch.randn(1, n_positions, 64)  # (B, T, d_model)
        before, _ = block(x, mask)
        columns = []
        for s in range(n_positions):
            redrawn = x.clone()
            redrawn[:, s] = torch.randn(64)
            after, _ = block(redrawn, mask)
            columns.append((after - before).norm(dim=-1)[0])  # (T,)
        return torch.stack(columns, dim=1).detach()  # (T, T)

    block = TransformerBlock(d_model=64, n_heads=4, d_ff=256).eval()
    masks = {"no mask": None, "causal": causal_mask(6), "self only": torch.eye(6).bool()}
    plots.influence({name: measure_influence(block, mask) for name, mask in masks.items()})

# %% question="causality"

# %% question="locality"

# %% [markdown]
# **Attention knows no order.** Without positions, swapping two words swaps their outputs and changes
# nothing else: for a block, a sentence is a bag of words. It is the embedding that tells places
# apart. Nor do sequences of one batch ever meet.

# %%
from course.parts import TransformerEmbedding

# Your own, when it is finished: TransformerEmbedding = load("embeddings").TransformerEmbedding

with plots.demo():
    block = TransformerBlock(d_model=64, n_heads=4, d_ff=256).eval()
    embed = TransformerEmbedding(vocab_size=10, d_model=64).eval()
    sentence, swapped = torch.tensor([[0, 1, 2]]), torch.tensor([[2, 1, 0]])  # (B, T) each
    rows = embed.token_embedding.embedding.weight.detach() * 8  # (V, d_model), no positions
    for name, look_up in (("without positions", lambda ids: rows[ids]), ("with positions", embed)):
        one, other = block(look_up(sentence))[0], block(look_up(swapped))[0]  # (B, T, d_model)
        moved = (one.flip(1) - other).abs().max().item()
        print(f"{name:18} swapped back, the outputs differ by at most {moved:.6f}")

# %% question="independence"

# %% [markdown]
# **What runs past.** With all parameters at zero, both branches add nothing, and the block gives
# back its input, in training too. This is the best test there is of residuals: a norm or a dropout
# in the wrong place shows at once.

# %%
with plots.demo():
    block = TransformerBlock(d_model=64, n_heads=4, d_ff=256).train()
    for parameter in block.parameters():
        parameter.data.zero_()
    x = torch.randn(2, 5, 64)  # (B, T, d_model)
    print("a block of zeros changes x by", (block(x)[0] - x).abs().max().item())

# %% question="residual"

# %% [markdown]
# **What is added.** However large the vectors are, a pre-norm block adds about the same amount:
# LayerNorm has removed their size, and the mean of their elements, before the sublayers see them.

# %%
with plots.demo():
    block = TransformerBlock(d_model=64, n_heads=4, d_ff=256).eval()
    x = torch.randn(2, 5, 64)  # (B, T, d_model)
    for factor in (1, 100, 10_000):
        added = block(factor * x)[0] - factor * x
        print(f"x of size {factor:6,}: added {added.square().mean().sqrt().item():.3f}")

# %% question="pre_norm"

# %% question="sequence"

# %% [markdown]
# **Count.** Attention has four maps, $d_{\text{model}}$ to $d_{\text{model}}$; the network has two,
# and is four times as wide in most models. So attention, of which everybody speaks, is about a third
# of a block. Count on paper what each map and each norm has, biases included, then compare:

# %%
with plots.demo():
    d, f = 256, 1024
    block = TransformerBlock(d_model=d, n_heads=8, d_ff=f)
    total = sum(len(parameter.flatten()) for parameter in block.parameters())
    in_attention = 4 * (d * d + d)  # four maps with a bias each
    in_network = (d * f + f) + (f * d + d)
    in_norms = 2 * (d + d)
    print(f"your block: {total:,}; on paper: {in_attention + in_network + in_norms:,}")
    print(f"attention {in_attention / total:.1%}, network {in_network / total:.1%}, ", end="")
    print(f"norms {in_norms / total:.2%}")

# %% question="parameters"

# %% question="dropout"

# %% solution="rms_norm"

# %%
check("rms_normed")

# %% question="rms_norm"

# %% solution="swiglu"

# %%
check("gated")

# %% question="swiglu"

# %% solution="rope"

# %%
check("rotated")

# %% question="rope"

# %% solution="grouped_attention"

# %%
check("grouped")

# %% question="grouped_attention"

# %% solution="ModernBlock"

# %%
check("modern")

# %% question="modern_block"

# %% [markdown]
# ## When something is off
#
# | what you see | what it often is |
# |---|---|
# | rows of weights don't add up to 1 | softmax over queries or heads; zeros put in after the softmax |
# | the future still has an influence | a 1/0 mask added to the scores; the triangle upside down; mask not handed on |
# | NaN in the first row | off by one: position 0 may not even see itself |
# | NaN in training only | dropout on scores that hold `-inf` |
# | weights are almost one-hot from the start | no scale; or multiplied by $\sqrt{d_k}$ |
# | it is close, but not right | scale by $\sqrt{d_{\text{model}}}$, or by $d_k$ |
# | right shapes, yet positions are mixed | reshape without swapping dimensions, when splitting or when merging |
# | a self-only mask, and still others have an influence | the same |
# | works with `(T, T)` masks only | the mask was reshaped instead of broadcast |
# | a block of zeros does not give back its input | residual around the norm, or from it; LayerNorm or dropout on the sum |
# | what is added grows with the input | the norm is missing, or comes after the sum |
# | too few parameters | one LayerNorm used twice; `bias` not passed on |
# | evaluation is random | `F.dropout` without `training=self.training`; `dropout_p` handed to PyTorch's function in `eval()` too |
# | the caller's vectors have changed | `x += …` writes into the tensor that came in |
#
# ## Hand in
#
# Restart the kernel and run all cells: a notebook that works only in the order you wrote it in is
# not finished. Then look at all public checks once more, save, and hand in this file.

# %%
check()

# %% [markdown]
# ## Go further (not graded)
#
# 1. **A bias without effect.** Show on paper that the bias of the keys' map changes no attention
#    weight. Then set it to random numbers in your block, and see that the output stays. What about
#    the bias of the queries?
# 2. **The fused kernel.** Let your attention use `F.scaled_dot_product_attention` when nobody asks
#    for the weights. How much faster is it at `T = 1024`? It must still drop nothing in `eval()`.
# 3. **Fewer keys.** Let all heads share one set of keys and values (Shazeer 2019), or groups of heads
#    (Ainslie et al. 2023). How many parameters does that save? (When generating text it saves much
#    more: there, keys and values of all earlier tokens are kept.)
# 4. **What replaced what.** Most recent models use RMSNorm for LayerNorm, a gated SiLU for GELU, and
#    no biases. Which of the hidden checks' properties would such a block still have?
#
# ## References
#
# - Vaswani et al. (2017), [Attention Is All You Need](https://arxiv.org/abs/1706.03762), sections
#   3.1 to 3.3.
# - Xiong et al. (2020), [On Layer Normalization in the Transformer
#   Architecture](https://arxiv.org/abs/2002.04745), figure 1: post-norm and pre-norm.
# - Hendrycks and Gimpel (2016), [Gaussian Error Linear Units](https://arxiv.org/abs/1606.08415).
# - He et al. (2016), [Identity Mappings in Deep Residual
#   Networks](https://arxiv.org/abs/1603.05027): why the path should stay clear.
# - Shazeer (2019), [Fast Transformer Decoding](https://arxiv.org/abs/1911.02150); Ainslie et al.
#   (2023), [GQA](https://arxiv.org/abs/2305.13245).
#
# Next: **3 · The full model**, where blocks are stacked and text comes out. It starts without this
# notebook; `load("blocks")` brings your classes in when they are ready.
