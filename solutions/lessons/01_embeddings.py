# %% [markdown]
# # 1 · Embeddings
#
# A language model computes with vectors, but text arrives as a list of integers. In this notebook
# you build the layer in between: from token ids `(B, T)` to vectors `(B, T, d_model)`.
#
# Afterwards you will be able to
#
# - say what an embedding table is, and why looking up a row is a matrix product in disguise;
# - explain why token vectors are multiplied by $\sqrt{d_{\text{model}}}$, in numbers;
# - write the sinusoidal positions of the original Transformer, and say what they are good for;
# - compare them with learned positions, and say what happens to a text that is too long;
# - write a module that behaves in training, in evaluation, in half precision and on a GPU.
#
# **How it works.** Four cells below say `# YOUR CODE HERE`, once in each method: replace each such
# line and the next. Each cell is followed by one that shows you what you made. What is checked in the end is the fourth class,
# `TransformerEmbedding`, and its token table; the other three are its parts. What is right earns its
# points, also when another of the four is not there yet. `check("shapes")` tells you at once whether
# the basics are right. Cells that say *graded after you hand in* stand for hidden checks: they ask
# for what the text and the docstrings say, and nothing else.
#
# Everything runs in seconds on a laptop, and from top to bottom even while it is unsolved. A word that
# is new to you may stand in the [glossary](99_glossary.ipynb).

# %%
import math
import sys

import torch
from torch import Tensor, nn

sys.path += [".", "..", "../.."]  # the folder `course` lies here or above
try:
    from course import check, plots
except ModuleNotFoundError:
    message = "The folder `course` is not here: open this notebook inside the unpacked course."
    raise ModuleNotFoundError(message) from None

ASSIGNMENT = "embeddings"  # tells check() which notebook this is
torch.set_num_threads(1)  # small models are faster on one, by far where others compute as well
torch.manual_seed(0)
print("Ready: torch", torch.__version__)

# %% [markdown]
# ## The idea
#
# Four names for sizes run through all the notebooks:
#
# | name | meaning | the smallest GPT-2 |
# |---|---|---|
# | `B` | sequences in a batch | as many as fit |
# | `T` | tokens in a sequence | up to 1,024 |
# | `V` | tokens in the vocabulary | 50,257 |
# | `d_model` | numbers in a vector | 768 |
#
# The layer does four things, one after the other:

# %%
plots.pipeline(
    [
        ("token ids", "(B, T)"),
        ("look up\na row each", "(B, T, d_model)"),
        ("times\n√d_model", "(B, T, d_model)"),
        ("plus\nposition", "(B, T, d_model)"),
        ("dropout", "(B, T, d_model)"),
    ],
    "From token ids to vectors",
)

# %% [markdown]
# **You should see** the shape change once, at the lookup: from there on each token is a vector,
# and every step keeps `(B, T, d_model)`.

# %% [markdown]
# **The table.** Each token of the vocabulary owns one row of a matrix $E$ with $V$ rows and
# $d_{\text{model}}$ columns. Nobody designs these rows: they start as small random numbers, and
# training moves them.
#
# Looking up row $i$ is the same as multiplying $E$ by a *one-hot* vector, all zeros with a one at
# place $i$. So an embedding is a linear layer, only without all the multiplications by zero:

# %%
table = torch.randn(5, 3)  # (V, d_model)
ids = torch.tensor([4, 0, 4])  # (T,)

looked_up = table[ids]  # (T, d_model)
one_hot = nn.functional.one_hot(ids, num_classes=5).float()  # (T, V)
multiplied = one_hot @ table  # (T, V) @ (V, d_model) -> (T, d_model)

print("one-hot rows:\n", one_hot)
print("the same vectors:", torch.equal(looked_up, multiplied))

# %% [markdown]
# It follows that a lookup gives a gradient only to the rows that were looked up. As long as the
# table is used for nothing else, a token that never occurs is never learned. In notebook 4 the same
# table also gives every token its score, and from there each row gets a gradient in each step.

# %% [markdown]
# ## Part 1: Tokens, at the right size
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# We start the table with numbers from a normal distribution with mean 0 and standard deviation
# 0.02, as GPT did. Soon a position is added to each vector, and the positions of the original
# Transformer consist of sines and cosines: their elements are about $\sqrt{1/2} \approx 0.71$ in
# size (the root of the mean square). Added to 0.71, a 0.02 is a whisper.
#
# Vaswani et al. (2017, section 3.4) multiply the token vectors by $\sqrt{d_{\text{model}}}$. At
# $d_{\text{model}} = 512$ that is a factor of 22.6, and 0.02 becomes 0.45: token and position are now
# of comparable size.
#
# So the factor goes with waves. Learned positions (part 3) start as small as the table, at 0.02: at
# $d_{\text{model}} = 512$ a scaled token is 22.6 times the size of its position, and now it is the
# position that whispers, until training has made it larger. GPT-2, whose positions are learned,
# does without the factor. We keep it for both kinds, so that only one thing changes between them.
#
# **Predict, then run.** Before most pictures there is a cell for your guesses: write numbers in place
# of `None`, run it, then run the next one. Nothing is graded, and a cell that you leave empty stops
# nothing. But whoever has guessed looks at a picture with other eyes.

# %%
PREDICTED_SIZES = {
    "size of a position's element / size of a stored one": None,
    "the d_model at which a scaled token is as large as its position": None,
}

# %%
plots.scale_comparison()
check(
    "prediction sizes",
    {
        "size of a position's element / size of a stored one": 0.5**0.5 / 0.02,
        "the d_model at which a scaled token is as large as its position": (0.5**0.5 / 0.02) ** 2,
    },
)

# %% [markdown]
# **You should see** two flat lines far apart, and a third that climbs from the lower to the upper one.
# It doubles whenever `d_model` is four times as large, and has not quite arrived at the right edge.

# %% [markdown]
# The factor belongs to the *way out*, not into the table. In notebook 4 the same table will also
# turn vectors back into tokens, and there it is needed at its small size.
#
# One more detail: sequences of different length are filled up with a *padding* token. It means
# nothing, so its row starts as zeros, and looking it up gives it no gradient: it stays zero while
# the table is used for lookups alone. `nn.Embedding` takes care of the gradient when it knows
# `padding_idx`; but see to it that after your own initialisation this row is zero, and no other.
# The id of the padding token is often 0, which is not the same as having none.

# %% solution="TokenEmbedding"

# %%
check("token_vectors")

# %% [markdown]
# **Look at it.** With `d_model=64` the factor is 8: expect the shape `(2, 3, 64)`, about 0.02 in
# the table, and about 0.16 on the way out. Padding can be any id: below it is 0, then 3, then none, and
# the rows of zeros are `[0]`, `[3]` and `[]`.

# %%
with plots.demo():
    tokens = torch.tensor([[5, 17, 42], [42, 5, 5]])  # (B, T) = (2, 3)
    embed = TokenEmbedding(vocab_size=1000, d_model=64)
    vectors = embed(tokens)  # (B, T, d_model)
    print("shape on the way out: ", tuple(vectors.shape))
    print(f"std in the table:      {embed.embedding.weight.std().item():.4f}")
    print(f"std on the way out:    {vectors.std().item():.4f}")
    for padding in (0, 3, None):
        table = TokenEmbedding(1000, 64, padding_idx=padding).embedding.weight  # (V, d_model)
        zeros = (table == 0).all(dim=1).nonzero().flatten().tolist()
        print(f"padding_idx={padding!s:4}: rows of zeros {zeros}")

# %% question="scale"

# %% [markdown]
# ## Part 2: Positions as waves
#
# *Difficulty: ●●●○○ · about 20 minutes*
#
# Attention, which you build in the next notebook, treats its input as a *set*: shuffle the tokens,
# and the outputs are shuffled the same way. *Dog bites man* and *man bites dog* would look alike.
# So each vector must carry its place along with it.
#
# The original Transformer adds a fixed pattern. Count positions $pos$ and columns from 0; then
#
# $$
# P_{pos,\,2i} = \sin\!\left(\frac{pos}{10000^{\,2i/d_{\text{model}}}}\right), \qquad
# P_{pos,\,2i+1} = \cos\!\left(\frac{pos}{10000^{\,2i/d_{\text{model}}}}\right)
# $$
#
# (Vaswani et al. 2017, section 3.5). Read it column by column: columns $2i$ and $2i+1$ are a sine
# and a cosine of *one* wavelength, $2\pi \cdot 10000^{2i/d_{\text{model}}}$. The first pair repeats
# every 6.3 positions; at $d_{\text{model}} = 512$ the last takes 60,611. It is a clock with $d_{\text{model}}/2$ hands:
# the fast ones tell neighbours apart, the slow ones tell early from late.
#
# Sines and cosines alternate: `sin, cos, sin, cos, …`. When `d_model` is odd, the last column is a
# sine and its cosine is left out.
#
# This table is not learned, and no optimizer step may change it. Still it is part of the module: it
# has to move with it to a GPU, and to follow the vectors' dtype. That is what `register_buffer` is
# for. Compute the table in float32 or better and let it be rounded afterwards: counted in bfloat16,
# positions 256 and 257 are the same number. Whether a checkpoint, which is the file that keeps a
# model's `state_dict()`, carries the table is up to you (`persistent=`).

# %% solution="SinusoidalPositionalEncoding"

# %%
check("waves")

# %% [markdown]
# **Look at it.** Adding the pattern to zeros shows the pattern itself. Position 0 must read
# `0, 1, 0, 1, …`, because $\sin 0 = 0$ and $\cos 0 = 1$. In the heatmap, the waves slow down from
# left to right, until only stripes are left: sines that are still near 0 beside cosines that are
# still near 1. The curves show a sine with its cosine, and two slower sines. The last lines ask for
# what no picture shows: an odd width works, and the table, a buffer, follows the module to bfloat16
# and is no parameter.

# %%
PREDICTED_WAVES = {  # among 100 positions, for d_model = 64
    "sign changes in column 0": None,
    "sign changes in the last column": None,
}

# %%
with plots.demo():
    encoding = SinusoidalPositionalEncoding(d_model=64, max_len=100)
    pattern = encoding(torch.zeros(1, 100, 64))[0]  # (T, d_model)
    print("position 0:", [round(x, 3) for x in pattern[0, :6].tolist()])
    print("position 1:", [round(x, 3) for x in pattern[1, :6].tolist()])
    plots.position_table(pattern, "Sinusoidal positions")
    turns = ((pattern[1:] * pattern[:-1]) < 0).sum(dim=0)  # (d_model,)
    check(
        "prediction waves",
        {
            "sign changes in column 0": turns[0],
            "sign changes in the last column": turns[-1],
        },
    )
    odd = SinusoidalPositionalEncoding(d_model=5, max_len=4)(torch.zeros(1, 4, 5))  # (1, T, 5)
    print("d_model = 5, position 1:", [round(x, 3) for x in odd[0, 1].tolist()])
    half = SinusoidalPositionalEncoding(d_model=64).bfloat16()
    out = half(torch.zeros(1, 4, 64, dtype=torch.bfloat16))  # (1, T, d_model)
    print(
        "after .bfloat16():", out.dtype, "with", len(list(half.parameters())), "parameters;", end=""
    )
    print(" buffers:", [buffer.dtype for buffer in half.buffers()])

# %% [markdown]
# **You should see** fast waves on the left and none on the right: neighbours differ in the first
# columns alone, and the last ones hardly move over the whole length. Blue is negative, orange
# positive, and what is near 0 has the colour of the page.

# %% question="sinusoidal"

# %% [markdown]
# ## Part 3: Positions as parameters
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# GPT and BERT do without the waves: position 0 owns a row, position 1 owns a row, and so on, and
# training finds out what should be in them. This is a second embedding table, with exactly
# `max_len` rows, looked up by position instead of by token. Its rows are added as they are, without
# the factor; only rows that were used get a gradient.
#
# Its rows are the same for every sequence in the batch, so you need only $T$ positions, and
# broadcasting adds `(T, d_model)` to `(B, T, d_model)`. Create the positions on the input's device:
# `torch.arange(...)` makes them on the CPU unless told otherwise.
#
# What if a text is longer than `max_len`? A learned table simply has no row for position
# `max_len`. Waves could go on, but a model that never saw such positions in training does badly on
# them. Both of our modules refuse. A `ValueError` that names both lengths says most; which error
# it is, is up to you.

# %% solution="LearnedPositionalEmbedding"

# %%
check("rows")

# %% [markdown]
# **Look at it.** What can a model read off these vectors? Attention compares vectors by dot
# products, so compare all pairs of positions that way. For the waves, when $d_{\text{model}}$ is even,
#
# $$P_a \cdot P_b = \sum_i \cos\!\left(\frac{a-b}{10000^{\,2i/d_{\text{model}}}}\right),$$
#
# which depends on the *distance* $a - b$ alone: you should see a band along the diagonal, the same
# everywhere. Nobody had to learn that. The learned table starts as noise, each position similar to
# itself only; distance is something that it has to find out from data.

# %%
PREDICTED_SIMILARITY = {  # 1 is what a position has with itself
    "sinusoidal, neighbours": None,
    "sinusoidal, 32 apart": None,
    "learned, 32 apart": None,
}

# %%
with plots.demo():
    waves, rows = SinusoidalPositionalEncoding(128), LearnedPositionalEmbedding(128)
    zeros = torch.zeros(1, 64, 128)  # (1, T, d_model)
    plots.position_similarity(
        {"sinusoidal": waves(zeros)[0], "learned, before training": rows(zeros)[0]}
    )
    print(f"std of the learned rows: {rows(zeros).std().item():.4f}, as in the token table")
    pairs = [
        (table @ table.T) / table.square().sum(dim=1).mean()
        for table in (waves(zeros)[0], rows(zeros)[0])
    ]
    check(
        "prediction similarity",
        {
            "sinusoidal, neighbours": pairs[0].diagonal(1).mean(),
            "sinusoidal, 32 apart": pairs[0].diagonal(32).mean(),
            "learned, 32 apart": pairs[1].diagonal(32).mean(),
        },
        or_by=0.05,
    )

# %% [markdown]
# **You should see** on the left stripes along the diagonal, so that only the distance counts; on the
# right one line and noise. However far apart, two waves stay similar: their slow columns agree.

# %% question="learned"

# %% [markdown]
# ## Part 4: All together
#
# *Difficulty: ●●●○○ · about 20 minutes*
#
# `TransformerEmbedding` is what the rest of the course uses:
#
# $$x = \operatorname{dropout}\big(E[\text{tokens}] \cdot \sqrt{d_{\text{model}}} + P\big)$$
#
# - **Dropout** acts on the *sum*. While training, it zeroes each element with probability
#   $p$ = `dropout` and multiplies the others by $1/(1-p)$, so that the expected value stays what it
#   was. `dropout=0` is allowed. In `eval()` mode nothing is dropped, and the same tokens give the
#   same vectors.
# - **`positional`** chooses between `"sinusoidal"` and `"learned"`. Anything else is a mistake that
#   should be found now and not after a night of training: raise a `ValueError`.
# - **Length.** Any `T` from 1 to `max_len` works, `max_len` included. A longer sequence is an error.
# - **Dtype and device** follow the parameters: after `.double()`, `.half()`, `.bfloat16()` or
#   `.to("cuda")` the module still works, and its output has the dtype and device of the weights. A
#   float32 table added to bfloat16 vectors would quietly make float32 of them; one that was left
#   behind on the CPU raises an error. Whatever `forward` creates belongs on its input's device; a
#   single number (a tensor without dimensions) may stay on the CPU, as torch lets it mix with any.
#
# Use your three classes; nothing has to be written twice. What is pinned is what stands in the
# docstrings; how you store positions, what other attributes there are and how you compute is free.

# %% solution="TransformerEmbedding"

# %% question="shapes"

# %% [markdown]
# **Look at it.** The word *dog*, as the first token and as the last: the vectors differ, although
# the row in the table is one and the same. Take the two positions off again, and they agree.

# %%
with plots.demo():
    vocabulary = {"dog": 0, "bites": 1, "man": 2}
    sentences = torch.tensor(
        [[vocabulary[word] for word in text.split()] for text in ("dog bites man", "man bites dog")]
    )  # (B, T) = (2, 3)
    embed = TransformerEmbedding(vocab_size=3, d_model=64, max_len=10).eval()
    x = embed(sentences)  # (B, T, d_model)
    pattern = SinusoidalPositionalEncoding(d_model=64, max_len=10)(torch.zeros(1, 3, 64))[0]
    first, last = x[0, 0], x[1, 2]  # (d_model,) each
    print("largest difference between the two dogs:", round((first - last).abs().max().item(), 3))
    without = ((first - pattern[0]) - (last - pattern[2])).abs().max().item()
    print("and with their positions taken off:     ", round(without, 6))

# %% [markdown]
# **Dropout, counted.** With `dropout=0.1`, about 10 % of the elements are zero while training, and
# none in `eval()` mode. Two training passes over the same tokens differ; two evaluations don't.

# %%
with plots.demo():
    embed = TransformerEmbedding(vocab_size=1000, d_model=128, dropout=0.1)
    tokens = torch.randint(0, 1000, (8, 50))  # (B, T)
    for mode in ("train", "eval"):
        embed.train(mode == "train")
        one, two = embed(tokens), embed(tokens)  # (B, T, d_model) each
        zeros = (one == 0).float().mean().item()
        print(f"{mode:5}: {zeros:6.1%} zeros, two passes equal: {torch.equal(one, two)}")

# %% question="max_len"

# %% question="dropout"

# %% question="dtype_device"

# %% [markdown]
# ## When something is off
#
# | what you see | what it often is |
# |---|---|
# | `cannot assign module before Module.__init__() call` | `super().__init__()` is missing in `__init__` |
# | vectors $\sqrt{d_{\text{model}}}$ times too small or too large | the factor is missing; applied twice, or without the root |
# | the loss of a tied model starts enormous (notebook 4) | the table itself was scaled, or kept PyTorch's default standard deviation of 1 |
# | the first half of the columns is sines, the second half cosines | sine and cosine have to alternate |
# | odd `d_model` fails | there is one cosine column fewer than sines |
# | it works for one batch size only | positions were added along the batch instead of along `T` |
# | it works for `T == max_len` only | the table was not cut to the first `T` rows |
# | `Expected all tensors to be on the same device` | the table is neither parameter nor buffer, or `arange` got no device |
# | bfloat16 weights, float32 vectors | the table does not follow the vectors' dtype |
# | evaluation is random | dropout as a function, always on; use `nn.Dropout`, or `self.training` |
# | the padding row is not zero | initialised once more after `nn.Embedding` had zeroed it; if only with id 0: `if padding_idx:` takes 0 for none, write `is not None` |
# | `a view of a leaf Variable that requires grad is being used in an in-place operation` | the padding row is zeroed where autograd watches: do it inside of `with torch.no_grad():` |
# | far positions are wrong in bfloat16 | positions were counted, or the table computed, in bfloat16 |
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
# 1. **A shift is a rotation.** Take one sine-cosine pair. For a fixed distance $k$, find the 2 × 2
#    matrix that turns the pair at position $t$ into the pair at $t + k$, for every $t$. Try it on
#    your table. Rotary embeddings (Su et al. 2021), which most language models use today, apply
#    this rotation to queries and keys instead of adding anything to the vectors.
# 2. **Another base.** Replace 10000 by 100 and draw both pictures again. How far apart do two
#    positions have to be now before their dot product can no longer tell?
# 3. **How large is the table?** Compute $V \cdot d_{\text{model}}$ for the smallest GPT-2. It has 124
#    million parameters in all: which part of them sits in this table?
#
# ## References
#
# - Vaswani et al. (2017), [Attention Is All You Need](https://arxiv.org/abs/1706.03762), sections
#   3.4 (scale), 3.5 (positions), 5.4 (dropout on the sum).
# - Gehring et al. (2017), [Convolutional Sequence to Sequence
#   Learning](https://arxiv.org/abs/1705.03122), section 3.1: learned positions.
# - Radford et al. (2018), Improving Language Understanding by Generative Pre-Training: standard
#   deviation 0.02, learned positions.
# - Su et al. (2021), [RoFormer](https://arxiv.org/abs/2104.09864): rotary positions.
#
# Next: **2 · Blocks**, where the vectors begin to look at each other. It starts without this
# notebook; `load("embeddings")` brings your classes in when they are ready.
