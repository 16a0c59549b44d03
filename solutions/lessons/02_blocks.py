# %% [markdown]
# # 2 · Blocks
#
# After the embedding, each vector knows its token and its place, and nothing about its neighbours.
# In this notebook you build what changes that: the Transformer block. It takes `(B, T, d_model)` and
# returns `(B, T, d_model)`, so that any number of them can be stacked.
#
# Afterwards you will be able to
#
# - write softmax and LayerNorm by hand, and say what keeps each from dividing by zero;
# - write attention in a few lines, and say what it averages and with which weights;
# - say why scores are divided by $\sqrt{d_k}$, and why a mask belongs before the softmax;
# - split vectors into heads and merge them again without mixing up positions;
# - assemble a pre-norm block, and say what runs past the sublayers untouched;
# - find out what a module does from outside: change an input, and watch which outputs move;
# - as a bonus, build the block of a recent model: RMSNorm, rotary positions, shared keys, a gate.
#
# **How it works.** Twelve cells below say `# YOUR CODE HERE`: replace that line and the next. The
# last five are a bonus.
# What the hidden checks look at is mostly the class `TransformerBlock`; attention and network are
# its parts. While a part is unsolved, another one stands in for it when you are graded: it costs
# what asks for it, and no more.
#
# `check("attention")` and its like tell you at once whether shapes, sums and masks are right, and
# no more: green does not mean done. How scores are scaled, whether positions stay apart, which
# activation it is, where the norm stands, whether the block hands its mask on, and whether `eval()`
# turns dropout off: only the hidden checks ask for that. The *Look at it* cells are your own test of
# what `check()` doesn't ask.
#
# It takes about 170 minutes, and the bonus 80 more. A word that is new to you may stand in the
# [glossary](99_glossary.ipynb).
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
# **You should see** a straight line from left to right that nothing interrupts: both branches read
# from it, and add to it.
#
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
# *Difficulty: ●○○○○ · about 15 minutes*
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
        ("Q\nand K", "(…, T, d_k)\n(…, S, d_k)"),
        ("scores\nQ Kᵀ / √d_k", "(…, T, S)"),
        ("mask", "(…, T, S)"),
        ("softmax\nover keys", "(…, T, S)"),
        ("average of V", "(…, T, d_v)"),
    ],
    "Scaled dot-product attention",
)

# %% [markdown]
# **You should see** `S`, the number of keys, come in with the scores and go out with the average: the
# output has a row for each query, however many keys there were.
#
# **The softmax runs over the keys**, the last dimension: each *row* adds up to 1. Over the queries
# it would run too, and give something that looks like attention and isn't.
#
# **Why $\sqrt{d_k}$?** Let a query and a key consist of $d_k$ independent numbers with mean 0 and
# variance 1. Their dot product is a sum of $d_k$ products, each with variance 1: its standard
# deviation is $\sqrt{d_k}$. Scores that large push the softmax to where one key takes everything,
# and where its gradient is almost zero. Before you measure it: how large is that deviation?

# %%
PREDICTED_SPREAD = {
    "q · k with d_k = 64": None,
    "q · k with d_k = 1024": None,
    "the same, divided by √d_k": None,
}  # your guesses in place of None, then run both cells

# %%
d_ks = [4, 16, 64, 256, 1024]
plain = []
for d_k in d_ks:
    q, k = torch.randn(2000, d_k), torch.randn(2000, d_k)  # (2000, d_k) each
    plain.append((q * k).sum(dim=-1).std().item())
plots.score_growth(
    d_ks, plain, [std / math.sqrt(d_k) for std, d_k in zip(plain, d_ks, strict=True)]
)
check(
    "prediction spread",
    {
        "q · k with d_k = 64": plain[2],
        "q · k with d_k = 1024": plain[4],
        "the same, divided by √d_k": plain[4] / math.sqrt(d_ks[4]),
    },
)

# %% [markdown]
# **You should see** the plain scores climb with $d_k$ on the left, and on the right what that does:
# nearly all the weight on one of 16 keys. Divided by $\sqrt{d_k}$, both curves stay flat.

# %% [markdown]
# ### Softmax by hand
#
# *Difficulty: ●●○○○ · about 15 minutes*
#
# We have called it twice; now it is opened. The softmax makes shares out of scores: exponentials,
# so that nothing is negative, divided by their sum, so that they add up to 1,
#
# $$\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$
#
# What counts are *differences* of scores: add a constant $c$ to all of them, and $e^c$ cancels.
# Before you go on: which share does the larger of two scores get?

# %%
PREDICTED_SHARES = {
    "1 beside 0": None,
    "1001 beside 1000": None,
    "2 beside 0": None,
}  # shares are between 0 and 1: half is 0.5

# %%
pairs = torch.tensor([[1.0, 0.0], [1001.0, 1000.0], [2.0, 0.0]])  # three lines of two scores
shares = torch.softmax(pairs, dim=-1)[:, 0]  # (3,)
check(
    "prediction shares",
    {"1 beside 0": shares[0], "1001 beside 1000": shares[1], "2 beside 0": shares[2]},
)
naive = pairs.exp() / pairs.exp().sum(dim=-1, keepdim=True)  # the formula as it stands
print("the formula as it stands:", naive.tolist())

# %% [markdown]
# The first two are equal, and the formula as it stands gives no number for the second: float32 ends at
# about $3.4 \cdot 10^{38}$, so that $e^{89}$ is already infinite, and infinity divided by infinity is
# `nan`. The way out is the constant that cancels: **subtract the largest score first**. Then the
# largest exponential is $e^0 = 1$, the sum is at least 1, and what underflows to 0 was too small to
# matter. A score of $-\infty$ gives $e^{-\infty} = 0$, exactly.
#
# | mistake | what comes of it |
# |---|---|
# | the largest of *all* scores is subtracted, not that of the line | a line far below it is 0 divided by 0 |
# | `sum(dim)` or `amax(dim)` without `keepdim=True` | `The size of tensor a … must match`, or, with square scores, columns divided by the sums of rows |
# | `-= largest` | the caller's scores have changed |
# | `-=` or `/=`, though on a copy of your own | `backward()` fails: it needs what was overwritten |
#
# `torch.softmax` would pass the checks, and teach you nothing: `exp`, a maximum and a sum are all you
# need. In the cells that follow use either: if yours is wrong, that costs points here alone.

# %% solution="softmax"

# %% [markdown]
# **Look at it.** Yours beside PyTorch's; are the caller's scores what they were, and do gradients flow?

# %%
with plots.demo():
    scores = torch.tensor([[1001.0, 1000.0], [-1000.0, -math.inf]])  # two lines of two scores
    before = scores.clone()
    difference = (softmax(scores) - before.softmax(dim=-1)).abs().max().item()
    print(f"largest difference from PyTorch's: {difference:.1e}")
    print("the scores are as they were:", torch.equal(scores, before))
    softmax(before.requires_grad_())[0, 0].backward()
    print("the gradient of the first share:", [round(one, 3) for one in before.grad[0].tolist()])

# %% question="softmax"

# %% question="softmax_values"

# %% [markdown]
# ### The mask
#
# *Difficulty: ●○○○○ · about 5 minutes*
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

# `check("mask")` is practice: the points for the mask are among those of `check("attention")`.

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
# ### Attention
#
# *Difficulty: ●●●○○ · about 20 minutes*
#
# Scores, mask, softmax, average: now all of it, in one function.
#
# **Dropout** acts on the weights, after the softmax: while training, some of them become 0 and the
# others grow by $1/(1-p)$. (Dropping *scores* would be another thing: a score of 0 is an ordinary
# score, and 0 times `-inf` is not a number.)

# %% solution="scaled_dot_product_attention"

# %% question="attention"

# %% [markdown]
# **Look at it.** PyTorch has this function too, fused into one kernel that never stores the weights.
# The two agree up to rounding.

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

# %% [markdown]
# **You should see** rows that add up to 1 in both panels. Under the causal mask nothing is left above
# the diagonal: what was spent on later words is shared among the earlier ones, and the first word
# has only itself.

# %% question="score_scale"

# %% [markdown]
# ## Part 2: Several heads
#
# *Difficulty: ●●●●○ · about 35 minutes*
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
# **Look at it.** Four heads, not trained at all.

# %%
with plots.demo():
    heads = MultiHeadAttention(d_model=64, n_heads=4).eval()
    x = 3 * torch.randn(1, len(words), 64)  # (B, T, d_model), large, so that there is a pattern
    out, weights = heads(x, x, x, causal_mask(len(words)))  # weights: (B, n_heads, T, T)
    print("output", tuple(out.shape), "weights", tuple(weights.shape))
    panels = {f"head {head}": weights[0, head] for head in range(4)}
    plots.attention_weights(panels, words, "Four heads")

# %% [markdown]
# **You should see** four different panels: each head spreads its attention in its own way. If two of
# them were equal, the heads would share their columns. Whether positions have been mixed up does not
# show here: the panel *self only* in part 5 tells.

# %% [markdown]
# ## Part 3: Feed-forward
#
# *Difficulty: ●○○○○ · about 10 minutes*
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
# **You should see** GELU follow ReLU at both ends and dip below zero in between, without a corner. The
# approximation is close, and yet far outside of rounding: it would fail a check.
#
# Dropout acts on the activations, between the two maps: after GELU, not before it.

# %% solution="FeedForward"

# %% question="feed_forward"

# %% [markdown]
# **Look at it.** Change one position, and watch all outputs: only that position moves. Then the
# smallest network there is, one number wide, beside PyTorch's GELU: they agree up to rounding.

# %%
with plots.demo():
    network = FeedForward(d_model=64, d_ff=256).eval()
    x = torch.randn(1, 5, 64)  # (B, T, d_model)
    changed = x.clone()
    changed[:, 2] = torch.randn(64)
    distances = (network(changed) - network(x)).norm(dim=-1)[0]  # (T,)
    print("each position's output moved by", [round(d, 2) for d in distances.tolist()])
    network = FeedForward(d_model=1, d_ff=1).eval()
    for parameter in network.parameters():
        parameter.data.fill_(float(parameter.dim() > 1))  # maps times 1, biases 0: GELU is left
    x = torch.linspace(-3, 3, 61).reshape(1, 61, 1)  # (B, T, d_model)
    print(f"largest difference from F.gelu: {(network(x) - F.gelu(x)).abs().max().item():.1e}")

# %% question="gelu"

# %% [markdown]
# ## Part 4: Normalise
#
# *Difficulty: ●●○○○ · about 15 minutes*
#
# Each branch adds to the vectors, so they grow from block to block. A branch that reads them should
# not have to learn again and again how large they are. **LayerNorm** (Ba et al. 2016) brings every
# vector to the same size before a branch reads it. Of one vector $x$ with $d$ numbers:
#
# $$
# \mu = \frac{1}{d} \sum_i x_i, \qquad
# \sigma^2 = \frac{1}{d} \sum_i (x_i - \mu)^2, \qquad
# \operatorname{LayerNorm}(x)_i = \gamma_i\, \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta_i
# $$
#
# | step | shape |
# |---|---|
# | mean and variance *of each vector*, over the last dimension | `(B, T, 1)` |
# | subtract, divide | `(B, T, d_model)` |
# | gain $\gamma$ and shift $\beta$, learned, the same for all vectors | `(d_model,)` |
#
# - **Nobody else takes part**: not the other positions, not the batch. That is the difference from
#   *batch normalisation*, and why a sentence gives the same alone as in a batch.
# - **The variance is biased**: it divides by $d$, not by $d - 1$. We describe these $d$ numbers; we
#   don't estimate anything of others. `x.var(dim=-1)` divides by $d - 1$ unless it is told
#   `correction=0`.
# - **$\varepsilon$ stands inside the root**, and keeps a vector of equal numbers from being divided by
#   0. Outside, $\sqrt{\sigma^2} + \varepsilon$, it is another function, whose gradient at
#   $\sigma = 0$ is not a number.
# - **$\gamma$ starts at 1 and $\beta$ at 0**: a new LayerNorm only normalises.
#
# Most recent models use its shorter sister. **RMSNorm** (Zhang and Sennrich 2019, equation 4) leaves
# out mean and shift and divides by the root mean square:
#
# $$\operatorname{RMSNorm}(x)_i = \gamma_i\, \frac{x_i}{\sqrt{\tfrac{1}{d} \sum_j x_j^2 + \varepsilon}}$$
#
# For vectors of mean 0 the two are equal. You write it in the bonus part; here it stands beside
# LayerNorm:

# %%
with plots.demo():
    x = torch.tensor([[1.0, 2.0, 3.0, 6.0], [101.0, 102.0, 103.0, 106.0]])  # (2, d_model)
    for name, normed in (
        ("LayerNorm", F.layer_norm(x, (4,))),
        ("RMSNorm", F.rms_norm(x, (4,), eps=1e-5)),
    ):
        for row in normed:
            told = [round(one, 2) for one in row.tolist()]
            size = row.square().mean().sqrt()
            print(f"{name:10} {told}, mean {row.mean():5.2f}, root mean square {size:.2f}")

# %% [markdown]
# To LayerNorm both vectors are the same: it has removed what they have in common. To RMSNorm the
# second is nearly a vector of ones. Write LayerNorm with means and a root; `F.layer_norm` would pass
# the checks, and teach you nothing.

# %% solution="LayerNorm"

# %% [markdown]
# **Look at it.** The two agree up to rounding.

# %%
with plots.demo():
    x = 3 * torch.randn(2, 5, 8) + 5  # (B, T, d_model)
    difference = (LayerNorm(8)(x) - F.layer_norm(x, (8,))).abs().max().item()
    print(f"largest difference from F.layer_norm: {difference:.1e}")

# %% question="layer_norm"

# %% question="norm_values"

# %% [markdown]
# ## Part 5: The block
#
# *Difficulty: ●●●○○ · about 30 minutes*
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
# Use your classes from above, and `nn.LayerNorm`; its epsilon is up to you. Your own LayerNorm does as
# well: if it is wrong, that costs points above and not once more here.

# %% solution="TransformerBlock"

# %% question="shapes"

# %% [markdown]
# **Who influences whom?** You can find out without opening the block: change the input at one
# position, and measure how far each output moves. Without a mask everything moves; under the causal
# mask nothing above the diagonal does, and when each position may attend to itself alone, only the
# diagonal is left.

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

# %% [markdown]
# **You should see** a full square, a triangle and a diagonal. The diagonal is off the scale of the
# colours: whatever the mask, a position keeps its own vector. So may (1, 0) be under the causal mask,
# where position 1 has only two to look at. A colour beside the diagonal of *self only* means that
# positions are mixed up.

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
    rows = embed.token_embedding.embedding.weight.detach() * 8  # (V, d_model), times √64
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
# **Count.** Before you do: which share of a block's parameters is attention's, when the network is
# four times as wide as the vectors? And how many parameters are there, if vectors have 256 numbers?

# %%
PREDICTED_COUNT = {
    "share of attention": None,
    "parameters of a block, d_model = 256": None,
}  # a share is between 0 and 1: half is 0.5

# %% [markdown]
# Attention has four maps, $d_{\text{model}}$ to $d_{\text{model}}$; the network has two,
# and is four times as wide in most models. Count on paper what each map and each norm has, biases
# included, then compare:

# %%
with plots.demo():
    d, f = 256, 1024
    block = TransformerBlock(d_model=d, n_heads=8, d_ff=f)
    total = sum(len(parameter.flatten()) for parameter in block.parameters())
    in_attention = 4 * (d * d + d)  # four maps with a bias each
    in_network = (d * f + f) + (f * d + d)
    in_norms = 2 * (d + d)
    on_paper = in_attention + in_network + in_norms
    print(f"your block: {total:,}; on paper: {on_paper:,}")
    for name, count in (("attention", in_attention), ("network", in_network), ("norms", in_norms)):
        print(f"{name:9} {count / on_paper:.1%}")
    check(
        "prediction count",
        {
            "share of attention": in_attention / on_paper,
            "parameters of a block, d_model = 256": on_paper,
        },
    )

# %% [markdown]
# Attention, of which everybody speaks, is about a third of a block. With $d$ for $d_{\text{model}}$, the
# maps alone have $4d^2 + 8d^2 = 12d^2$ numbers; biases and norms hardly count.

# %% question="parameters"

# %% question="dropout"

# %% [markdown]
# ## Part 6: What each piece is for (not graded)
#
# *Difficulty: ●○○○○ · about 25 minutes*
#
# The surest way to learn what something is for is to leave it out. Here is a small task that needs
# all of it: eight random digits go in, and the same digits, backwards, are to come out. Position 0
# has to find position 7, whatever stands there. Who guesses each digit alike has a loss of $\ln 10 =
# 2.30$.
#
# Four models of four blocks learn it, for 150 steps each, all from the same start:
#
# | variant | its two lines |
# |---|---|
# | as built | $x \leftarrow x + f(\operatorname{LN}(x))$ |
# | post-norm | $x \leftarrow \operatorname{LN}(x + f(x))$ |
# | no residual | $x \leftarrow f(\operatorname{LN}(x))$ |
# | no positions | as built, but the embedding says which digit, not where |
#
# Where does each loss end? For the last one, look for the number on paper that it can't get below:
# which digits occur, and how often, is all that it can know. If the digit asked for stands there $m$
# times, the best guess gives it $m/8$, and that costs $\ln 8 - \ln m$. Now $m = 1 + k$, where $k$ counts
# which of the seven others are equal to it, each with a chance of 0.1:
# $\ln 8 - \mathbb{E}[\ln(1 + k)]$, where $k$ is binomial.

# %%
PREDICTED_ABLATIONS = {
    "as built": None,
    "post-norm": None,
    "no residual": None,
    "no positions, at best": None,
}  # losses at the end, but for the last one: that on paper

# %%
with plots.demo():
    VARIANTS = ("as built", "post-norm", "no residual", "no positions")

    class Reverser(nn.Module):
        """Four blocks of your parts, wired as the variant says; ids (B, T) to logits (B, T, 10)."""

        def __init__(self, variant, d_model=32, n_layers=4, max_len=8):
            super().__init__()
            self.variant = variant
            self.digits = nn.Embedding(10, d_model)
            nn.init.normal_(self.digits.weight, std=0.1)
            speeds = 10000.0 ** (-torch.arange(0, d_model, 2) / d_model)  # (d_model / 2,)
            angles = torch.arange(max_len)[:, None] * speeds  # (T, d_model / 2)
            self.places = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(
                1
            )  # (T, d_model)
            self.branches = nn.ModuleList()
            for _ in range(n_layers):
                self.branches.append(MultiHeadAttention(d_model, n_heads=4, dropout=0.0))
                self.branches.append(FeedForward(d_model, 4 * d_model, dropout=0.0))
            self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in self.branches)
            self.head = nn.Sequential(nn.LayerNorm(d_model), nn.Linear(d_model, 10))

        def run(self, branch, x):
            return branch(x) if isinstance(branch, FeedForward) else branch(x, x, x)[0]

        def forward(self, ids):
            x = self.digits(ids)  # (B, T, d_model)
            if self.variant != "no positions":
                x = x + self.places
            for norm, branch in zip(self.norms, self.branches, strict=True):
                if self.variant == "post-norm":
                    x = norm(x + self.run(branch, x))
                elif self.variant == "no residual":
                    x = self.run(branch, norm(x))
                else:
                    x = x + self.run(branch, norm(x))
            return self.head(x)

    def learn_to_reverse(variant, n_steps=150, rate=1e-2):
        """The loss of each step."""
        torch.manual_seed(0)
        model = Reverser(variant)
        optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
        losses_so_far = []
        for _ in plots.steps(n_steps):
            ids = torch.randint(0, 10, (16, 8))  # (B, T)
            logits = model(ids)  # (B, T, 10)
            loss = F.cross_entropy(logits.flatten(0, 1), ids.flip(1).flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses_so_far.append(loss.item())
        return losses_so_far

    def mean_of_ten(losses, step):
        """The mean of the losses of this step and the nine before it, as far as there are so many."""
        last = losses[max(0, step - 9) : step + 1]
        return sum(last) / len(last)

    courses = {variant: learn_to_reverse(variant) for variant in VARIANTS}
    drawn = {
        variant: (range(len(losses)), [mean_of_ten(losses, step) for step in range(len(losses))])
        for variant, losses in courses.items()
    }
    plots.curves({"step": drawn}, "Eight digits, backwards", "loss, mean of ten steps")
    ended = {variant: mean_of_ten(losses, len(losses) - 1) for variant, losses in courses.items()}
    chances = [math.comb(7, k) * 0.1**k * 0.9 ** (7 - k) for k in range(8)]  # of k equal others
    at_best = sum(chance * math.log(8 / (1 + k)) for k, chance in enumerate(chances))
    check(
        "prediction ablations",
        {
            "as built": ended["as built"],
            "post-norm": ended["post-norm"],
            "no residual": ended["no residual"],
            "no positions, at best": at_best,
        },
        within=0.1,
        or_by=0.2,
    )
    for variant, loss in ended.items():
        print(f"{variant:12} ends at {loss:.2f}")

# %% [markdown]
# **You should see** one curve fall, in most runs to almost nothing, after a while in which nothing
# seems to happen; two that stay at $\ln 10$; and one that comes down and is still on its way to 1.65.
#
# **Post-norm** is no mistake: the original Transformer has it. It asks for a smaller rate, or for one
# that grows slowly at first (Xiong et al. 2020). Here it has a third of the rate, and twice the steps:

# %%
with plots.demo():
    slower = learn_to_reverse("post-norm", n_steps=300, rate=3e-3)
    print(f"post-norm, rate 3e-3, 300 steps: ends at {mean_of_ten(slower, 299):.3f}")

# %% [markdown]
# Double-click on this cell, and write down what *your* runs have shown:
#
# | variant | loss at the end | learns? | because |
# |---|---|---|---|
# | as built | | | |
# | post-norm | | | |
# | post-norm, `rate=3e-3`, 300 steps | | | |
# | no residual | | | |
# | no positions | | | |
#
# - *Without positions* the model is the bag of words from above. The best that it can do is to give
#   each digit the share that it has of the eight: on average that costs 1.65.
# - *Without residuals* what a block does not hand on is lost, and the gradient has to pass through
#   every branch on its way down. Some such models can be made to learn; this one has no idea after
#   150 steps.
#
# ## Part 7 (bonus): A block of today
#
# The block above is that of GPT-2, but for the exact GELU. Models that came after it have kept its two
# lines, and changed nearly everything inside them. Llama (Touvron et al. 2023) is typical:
#
# | the block above | a block of today | what for |
# |---|---|---|
# | LayerNorm | RMSNorm | less to compute, no worse |
# | GELU between two maps | SwiGLU: a gate, three maps | lower loss for the same number of parameters |
# | positions added to the embedding | rotary positions, in each attention | scores depend on distances |
# | keys and values for each head | for a group of heads | less to keep when text is written |
# | biases, dropout | neither | large models on much text hardly overfit |
#
# Four small functions, and a block that is made of them. What goes in is left as it is, and gradients
# are those of the formulas. A function that is wrong costs the points of its own question: when your
# block is judged, right ones stand in.
#
# ### RMSNorm
#
# *Difficulty: ●○○○○ · about 5 minutes*
#
# The formula stands in part 4. As a function it takes its gains as an argument.

# %% solution="rms_norm"

# %%
check("rms_normed")

# %% question="rms_norm"

# %% [markdown]
# ### A gate
#
# *Difficulty: ●○○○○ · about 5 minutes*
#
# A *gated* network (Shazeer 2020) widens each vector twice, and multiplies the two: one half says
# what, the other, bent by $\operatorname{SiLU}(z) = z \cdot \sigma(z)$, says how much of it,
#
# $$\operatorname{SwiGLU}(x) = \big(\operatorname{SiLU}(x W_{\text{gate}}) \odot x W_{\text{up}}\big)\, W_{\text{down}}$$
#
# | step | shape |
# |---|---|
# | `x @ w_gate`, and `x @ w_up` | `(…, d_ff)` each |
# | product, number by number | `(…, d_ff)` |
# | `@ w_down` | `(…, d_model)` |
#
# Three maps instead of two: to have as many parameters as before, models make `d_ff` two thirds as
# large. The matrices come as the formula has them, `w_gate` as `(d_model, d_ff)`; the `weight` of an
# `nn.Linear` is the other way round.

# %% solution="swiglu"

# %%
check("gated")

# %% question="swiglu"

# %% [markdown]
# ### Rotary positions
#
# *Difficulty: ●●●●○ · about 30 minutes*
#
# A score is a dot product. What if queries and keys were *rotated* before it, each by an angle that
# grows with its position? Two vectors that are rotated by the same angle keep their dot product. So
# only the *difference* of the angles counts, that is the distance of the two positions:
#
# $$\big(R_t\, q\big)^\top \big(R_s\, k\big) = q^\top R_t^\top R_s\, k = q^\top R_{s - t}\, k$$
#
# In two dimensions, $R_t$ turns by an angle $t\theta$. With $d_k$ numbers there are $d_k / 2$ pairs,
# and each turns at a speed of its own, from one radian a position down to almost nothing (Su et al.
# 2021):
#
# $$
# \begin{pmatrix} a \\ b \end{pmatrix} \mapsto
# \begin{pmatrix} a \cos t\theta_j - b \sin t\theta_j \\ a \sin t\theta_j + b \cos t\theta_j \end{pmatrix},
# \qquad \theta_j = 10000^{-2j/d_k}, \quad j = 0, \dots, d_k/2 - 1
# $$
#
# You know these speeds: they are those of the sinusoidal table of notebook 1. There, sine and cosine
# are *added* to the embedding, once. Here they *multiply* queries and keys, in each attention;
# values keep what they are.
#
# | step | shape |
# |---|---|
# | speeds $\theta_j$ | `(d_k / 2,)` |
# | angles: position times speed | `(T, d_k / 2)` |
# | first and second numbers of the pairs | `(…, T, d_k / 2)` each |
# | rotated, side by side again | `(…, T, d_k)` |
#
# The paper pairs neighbours; most checkpoints pair a number of the first half with one of the
# second. Both are right, as long as queries and keys do the same.

# %% solution="rope"

# %%
check("rotated")

# %% [markdown]
# **Look at it.** One query and one key, three positions apart, in three places; and then five apart.

# %%
with plots.demo():
    q, k = torch.randn(2, 1, 64).unbind()  # (T, d_k) each, T = 1
    for distance in (3, 5):
        for place in (0, 10, 1000):
            here, there = torch.tensor([place]), torch.tensor([place + distance])
            score = (rope(q, there) * rope(k, here)).sum().item()
            print(f"query at {place + distance:4}, key at {place:4}: score {score:.3f}")

# %% [markdown]
# **You should see** three equal scores, then three others that are equal: only the distance counts.

# %% question="rope"

# %% [markdown]
# ### Shared keys
#
# *Difficulty: ●●●○○ · about 15 minutes*
#
# Who writes text keeps keys and values of all tokens that there are already (notebook 6). With 12
# heads that is 12 of each, for every token, in every block. But the queries do the asking; keys are
# needed less often than questions. In *grouped-query attention* (Ainslie et al. 2023) a group of
# query heads shares one head of keys and values:
#
# | | heads of queries | heads of keys and values |
# |---|---|---|
# | ordinary, as above | 12 | 12 |
# | grouped | 12 | 4: one for three queries |
# | multi-query (Shazeer 2019) | 12 | 1 |
#
# Groups are neighbours: with three queries for each, heads 0, 1 and 2 look at key head 0.

# %% solution="grouped_attention"

# %%
check("grouped")

# %% question="grouped_attention"

# %% [markdown]
# ### All together
#
# *Difficulty: ●●●○○ · about 25 minutes*
#
# The two lines are the old ones. Positions are rotated *after* heads are split, for a pair belongs
# to one head. How you keep the maps is up to you, as above.

# %% solution="ModernBlock"

# %%
check("modern")

# %% question="modern_block"

# %% [markdown]
# **Look at it.** Nearly the same number of parameters, spent in another way; and 13 % fewer where
# queries share keys:

# %%
with plots.demo():
    d = 256
    sizes = {
        "the block above, d_ff = 1024": TransformerBlock(d, 8, 1024),
        "8 heads of keys, d_ff = 683": ModernBlock(d, 8, 8, 683),
        "2 heads of keys, d_ff = 683": ModernBlock(d, 8, 2, 683),
    }
    for name, block in sizes.items():
        print(f"{name:30} {sum(len(parameter.flatten()) for parameter in block.parameters()):,}")

# %% [markdown]
# ## When something is off
#
# | what you see | what it often is |
# |---|---|
# | rows of weights don't add up to 1 | softmax over queries or heads; zeros put in after the softmax |
# | the future still has an influence | a 1/0 mask added to the scores; the triangle upside down; mask not handed on |
# | NaN in the first row | off by one: position 0 may not even see itself |
# | NaN in training only | dropout on scores that hold `-inf` |
# | NaN for large scores, right shares for small ones | a softmax that does not subtract the largest score first |
# | `The size of tensor a … must match the size of tensor b` | a sum, mean or maximum without `keepdim=True` |
# | a LayerNorm that is off by a factor close to 1 | the variance divides by $d - 1$ |
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
# not finished. Then look at all public checks once more, those for practice included, save, and hand
# in this file. (They ask for the basics, as said at the top: look at the *Look at it* cells, too.)

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
# 3. **Warm up.** Let the post-norm variant of part 6 learn: lower its rate, or let the rate grow
#    over the first 50 steps. Which of the two costs less?
# 4. **Further than it was trained.** Train the modern block on short sequences and try it on long
#    ones. At which length does it break down, and does a larger `base` help?
#
# ## References
#
# - Vaswani et al. (2017), [Attention Is All You Need](https://arxiv.org/abs/1706.03762), sections
#   3.1 to 3.3.
# - Xiong et al. (2020), [On Layer Normalization in the Transformer
#   Architecture](https://arxiv.org/abs/2002.04745), figure 1: post-norm and pre-norm.
# - Ba, Kiros and Hinton (2016), [Layer Normalization](https://arxiv.org/abs/1607.06450), section 3;
#   Zhang and Sennrich (2019), [Root Mean Square Layer
#   Normalization](https://arxiv.org/abs/1910.07467).
# - Hendrycks and Gimpel (2016), [Gaussian Error Linear Units](https://arxiv.org/abs/1606.08415).
# - He et al. (2016), [Identity Mappings in Deep Residual
#   Networks](https://arxiv.org/abs/1603.05027): why the path should stay clear.
# - Su et al. (2021), [RoFormer](https://arxiv.org/abs/2104.09864), section 3.2: rotary positions.
# - Shazeer (2020), [GLU Variants Improve Transformer](https://arxiv.org/abs/2002.05202).
# - Shazeer (2019), [Fast Transformer Decoding](https://arxiv.org/abs/1911.02150): one head of keys for
#   all; Ainslie et al. (2023), [GQA](https://arxiv.org/abs/2305.13245): one for each group.
#
# Next: **3 · The full model**, where blocks are stacked and text comes out. It starts without this
# notebook; `load("blocks")` brings your classes in when they are ready.
