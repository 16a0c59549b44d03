# %% [markdown]
# # 1 · Counting words
#
# Which words does a text use most? You take it apart, count, and put the words in order.

# %%
import sys

sys.path += ["..", "../.."]  # the folder `handout` is there
from handout import check

ASSIGNMENT = "words"  # tells check() which notebook this is

# %% [markdown]
# ## Words
#
# `"Well, well!"` has two words, and they are the same one.

# %% solution="split_words"

# %% [markdown]
# ## Counts

# %% solution="count_words"

# %% [markdown]
# ## The most common ones

# %% solution="most_common"

# %% [markdown] tags=["instructor"]
# This cell stays here. Half of the class forgets the order of words with equal counts.

# %% [markdown]
# ## Check your work
#
# The first cell checks at once; the others stand for what is checked after you hand in.

# %% question="examples"

# %% question="words"

# %% question="counts"

# %% question="ranking"
