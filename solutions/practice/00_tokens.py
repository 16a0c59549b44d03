# %% [markdown]
# # 0 · Tokens
#
# A language model reads numbers, and people write letters. In this notebook you build what stands
# between them: a *tokenizer*, which turns any text into token ids and back without losing a thing.
#
# Afterwards you will be able to
#
# - say what a token id is, and why it is neither a letter nor a word;
# - train a byte-pair encoding on a text;
# - encode any text, in any language, and get it back exactly;
# - say what a larger vocabulary buys, and what it costs.
#
# **How it works.** Nothing here is graded, and no later notebook needs it: it is for whoever asks
# where the integers come from. Five cells say `# YOUR CODE HERE`: replace that line and the next.
# `check("pairs")` and its like tell you at once whether it is right. You need plain Python, no torch.
#
# A word that is new to you may stand in the [glossary](99_glossary.ipynb).

# %%
import sys
from collections import Counter
from itertools import pairwise

sys.path += [".", "..", "../.."]  # the folder `course` lies here or above
try:
    from course import check, plots
except ModuleNotFoundError:
    message = "The folder `course` is not here: open this notebook inside the unpacked course."
    raise ModuleNotFoundError(message) from None

ASSIGNMENT = "tokens"  # tells check() which notebook this is
print("Ready.")

# %% [markdown]
# ## The idea
#
# What should be a token?
#
# - **Words** are too many. New ones are made every day, and a model that has never seen *unsinkable*
#   could only say "unknown".
# - **Letters** are too small. A text of 1,000 words has some 6,000 of them, and attention compares each
#   with each.
# - **Bytes** are complete: every text, in every script, is a row of bytes (UTF-8), and there are only 256
#   of them. But they are even smaller than letters.
#
# *Byte-pair encoding* begins with bytes and makes larger pieces of them: it looks for the pair of
# neighbours that comes most often, gives it a number of its own, and goes on with the text that is
# left. Frequent words end up as one token, rare ones as a few, and nothing is ever unknown, because
# the bytes are still there. Gage (1994) thought of it to compress files; Sennrich et al. (2016,
# section 3.2) brought it to language models, Radford et al. (2019, section 2.2) to bytes.

# %%
plots.pipeline(
    [
        ("text", "characters"),
        ("UTF-8\nbytes", "ids 0 … 255"),
        ("merge pairs", "ids 0 … V - 1"),
        ("look up\na row each", "(T, d_model)"),
    ],
    "From text to vectors",
)

# %% [markdown]
# **You should see** four steps; the last one is notebook 1. The row of ids gets shorter in the third,
# and its numbers get larger.
#
# Here is the text to train on. Python gives its bytes with `encode`:

# %%
PARAGRAPH = """The ferry leaves when the tide does. On the near shore the ferryman waits in the shade of
the ferry house, and the passengers wait with him; on the far shore the other ferryman waits with the
other passengers. When the water is high enough the two ferries leave their shores, and in the middle
of the river, where the water is deepest, the ferrymen greet each other without a word. Nobody on the
river knows who thought of it first. The water is never the same water, the passengers are never the
same passengers, and yet the greeting is always the same greeting: a hand, lifted as high as the hat,
and lowered again before the other ferry has passed. Once, when the river had risen and the fog lay
on the water, one of the two ferrymen lifted his hand and saw nothing. He waited. Then, out of the
white, higher than the water and higher than the fog, came the other hand. « À demain », said the
river, or somebody on it."""

print(len(PARAGRAPH), "characters,", len(PARAGRAPH.encode("utf-8")), "bytes")
for character in ("t", "À", "«", "河", "🚢"):
    print(f"{character!r}: {list(character.encode('utf-8'))}")

# %% [markdown]
# ## Part 1: Which neighbours?
#
# *Difficulty: ●○○○○ · about 5 minutes*
#
# Count how often each pair of neighbours occurs. In `[1, 2, 1, 2, 2]` the pairs are $(1, 2)$, $(2, 1)$,
# $(1, 2)$, $(2, 2)$: every position but the last begins one. `pairwise(ids)` lists them.


# %% solution
def count_pairs(ids: list[int]) -> dict[tuple[int, int], int]:
    """Count the pairs of neighbours in a row of ids.

    Args:
        ids: token ids (T,).

    Returns:
        How often each pair occurs, for those that do; empty for fewer than two ids.
    """
    ### BEGIN SOLUTION
    return dict(Counter(pairwise(ids)))
    ### END SOLUTION


# %%
check("pairs")

# %% [markdown]
# ## Part 2: One merge
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# Now replace a pair by one new id, from left to right. A position that has been used is used up: in
# `[1, 1, 1]` the pair $(1, 1)$ occurs twice but can be merged once, which gives `[new, 1]`. Walk with an
# index that goes on by two after a merge, and by one otherwise; and mind the last position.


# %% solution
def merge(ids: list[int], pair: tuple[int, int], new_id: int) -> list[int]:
    """Replace a pair of neighbours by one id, wherever it occurs, from left to right.

    Args:
        ids: token ids (T,), which stay as they are.
        pair: the two ids to replace.
        new_id: the id that takes their place.

    Returns:
        A new list, with at most T ids.
    """
    ### BEGIN SOLUTION
    merged, at = [], 0
    while at < len(ids):
        if tuple(ids[at : at + 2]) == tuple(pair):
            merged.append(new_id)
            at += 2
        else:
            merged.append(ids[at])
            at += 1
    return merged
    ### END SOLUTION


# %%
check("merging")

# %% [markdown]
# ## Part 3: Training
#
# *Difficulty: ●●○○○ · about 10 minutes*
#
# Training a tokenizer takes no gradient. Begin with the bytes; then, once for each merge, count the
# pairs, take the most frequent one, give it the next free id (256, 257, …), and merge. What is
# learned is the list of merges, in their order: later ones are made of earlier ones.


# %% solution
def train_bpe(text: str, n_merges: int) -> dict[tuple[int, int], int]:
    """Learn merges from a text.

    Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units", section 3.2;
    here on the bytes of UTF-8.

    Args:
        text: what to learn from.
        n_merges: how many merges to learn; fewer if no pair occurs at least twice any more.

    Returns:
        The id of each merged pair, 256 for the first, 257 for the second and so on, in this order.
        Each pair is one of those that occur most often once the merges before it are done.
    """
    ### BEGIN SOLUTION
    ids, merges = list(text.encode("utf-8")), {}
    for new_id in range(256, 256 + n_merges):
        counts = count_pairs(ids)
        pair = max(counts, key=counts.get, default=None)
        if pair is None or counts[pair] < 2:
            break
        ids, merges[pair] = merge(ids, pair, new_id), new_id
    return merges
    ### END SOLUTION


# %%
check("training")

# %% [markdown]
# ## Part 4: There
#
# *Difficulty: ●●○○○ · about 5 minutes*
#
# **Encoding** a text means doing to it what was done to the training text: take its bytes, and carry out
# the merges *in the order in which they were learned*. (Another order may leave pairs behind: when
# *t-h* and *h-e* are both merges, it matters which of them comes first.)


# %% solution
def encode(text: str, merges: dict[tuple[int, int], int]) -> list[int]:
    """Turn a text into token ids.

    Args:
        text: any text, also one with characters that training has not seen.
        merges: what `train_bpe` returns.

    Returns:
        Token ids (T,): the bytes of the text in UTF-8, with the merges carried out in their order.
    """
    ### BEGIN SOLUTION
    ids = list(text.encode("utf-8"))
    for pair, new_id in merges.items():
        ids = merge(ids, pair, new_id)
    return ids
    ### END SOLUTION


# %%
check("encoding")

# %% [markdown]
# ## Part 5: And back
#
# *Difficulty: ●●●○○ · about 15 minutes*
#
# **Decoding** goes backwards: each id stands for a row of bytes, its own one or those of its two halves.
# Join them all, and read them as UTF-8. A model may produce ids whose bytes are no text; put `�` in their
# place with `errors="replace"`, so that no answer of a model ever raises an error.


# %% solution
def decode(ids: list[int], merges: dict[tuple[int, int], int]) -> str:
    """Turn token ids back into a text: `decode(encode(text, merges), merges) == text`.

    Args:
        ids: token ids (T,).
        merges: what `train_bpe` returns.

    Returns:
        The text; where the bytes are no UTF-8, the character U+FFFD stands for them.
    """
    ### BEGIN SOLUTION
    pieces = {byte: bytes([byte]) for byte in range(256)}
    for (left, right), new_id in merges.items():
        pieces[new_id] = pieces[left] + pieces[right]
    return b"".join(pieces[token] for token in ids).decode("utf-8", errors="replace")
    ### END SOLUTION


# %%
check("round_trip")

# %% [markdown]
# ## What came of it
#
# Before you look: the paragraph has nearly a thousand bytes. How many tokens are left of it after the
# first merge, and after a hundred?

# %%
PREDICTED_LENGTH = {"after 1 merge": None, "after 100 merges": None}

# %%
with plots.demo():
    merges = train_bpe(PARAGRAPH, 400)
    lengths = [len(encode(PARAGRAPH, {}))]
    ids = encode(PARAGRAPH, {})
    for pair, new_id in merges.items():
        ids = merge(ids, pair, new_id)
        lengths.append(len(ids))
    plots.curves(
        {"merges": {"the paragraph": (list(range(len(lengths))), lengths)}},
        "Each merge makes the text shorter",
        "tokens",
    )
    check(
        "prediction length",
        {"after 1 merge": lengths[1], "after 100 merges": lengths[100]},
    )

# %% [markdown]
# **You should see** a curve that falls steeply and flattens out: the first merges are pairs that come
# everywhere, the last ones come twice. It ends where nothing comes twice any more.
#
# **Look inside.** The pieces that were learned, from first to last, and a sentence that the paragraph
# does not contain, cut into them:

# %%
with plots.demo():
    merges = train_bpe(PARAGRAPH, 400)
    learned = [decode([new_id], merges) for new_id in merges.values()]
    for first in (0, 50, 100):
        print(f"from {256 + first}:", learned[first : first + 8])
    for text in ("The other ferryman waits.", "The unsinkable ferry", "河 🚢"):
        ids = encode(text, merges)
        print(f"\n{text!r}: {len(text.encode('utf-8'))} bytes, {len(ids)} tokens")
        print(" ", [decode([token], merges) for token in ids])

# %% [markdown]
# Whole words, parts of words, single bytes: all are rows of one table. What the model gets is `ids`, and
# it knows nothing of what they look like. That is why it finds it hard to count the letters of a word.
#
# **How large should a vocabulary be?** GPT-2 has 256 bytes, 50,000 merges and one token more, which ends a
# text: $V = 50{,}257$. Each merge makes texts shorter, and attention costs less (notebook 2); but each
# is a row more in the token table and a score more at every position (notebooks 1, 3 and 4), and rare
# pieces are seen so seldom that little is learned about them.
#
# ## When something is off
#
# | what you see | what it often is |
# |---|---|
# | the last id is lost | the walk ends one position early, because a pair needs two |
# | `[1, 1, 1]` becomes `[new, new]` | the index went on by one after a merge: positions were used twice |
# | `max() iterable argument is empty` | a text of fewer than two bytes has no pairs: stop before you look for the largest count |
# | the first merge has id 0 or 1 | ids below 256 are bytes |
# | the text comes back, but is longer in tokens than it should be | merges were carried out in another order |
# | `'utf-8' codec can't decode byte …` | the pieces were decoded one by one: a character may be spread over several |
# | training never ends | nothing is left to merge: see when to stop |
#
# ## Hand in
#
# Nothing: this notebook is for practice. Here are all of its checks once more.

# %%
check()

# %% [markdown]
# ## Go further (not graded)
#
# 1. **Before the merging.** GPT-2 first cuts a text into words, numbers and punctuation by a regular
#    expression, and merges within these only (Radford et al. 2019, section 2.2). Which of your pieces
#    would not exist then? What is gained?
# 2. **Faster.** `encode` walks through the text once for each merge. Instead, look in each round for
#    the pair of the text that was learned earliest, until none is left. Show that it gives the same ids.
# 3. **Other languages.** Encode a paragraph in another language with these merges. How many bytes
#    go into a token, there and here? Who pays for that when a service charges by tokens?
# 4. **Special tokens.** Add a token that ends a text, and that no text can contain. Where does it have
#    to be handled, and what goes wrong if a user types it?
#
# ## References
#
# - Gage (1994), A New Algorithm for Data Compression, *The C Users Journal* 12(2).
# - Sennrich, Haddow and Birch (2016), [Neural Machine Translation of Rare Words with Subword
#   Units](https://arxiv.org/abs/1508.07909), section 3.2.
# - Radford et al. (2019), [Language Models are Unsupervised Multitask
#   Learners](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf),
#   section 2.2: bytes, and a vocabulary of 50,257.
#
# Next: **1 · Embeddings**, where each id becomes a vector.
