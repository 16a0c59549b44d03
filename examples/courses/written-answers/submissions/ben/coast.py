# %%
import math

def length(line):
    return sum(math.dist(a, b) for a, b in zip(line, line[1:]))

# %% [markdown] answer="why_longer"
# It is longer because the ruler is shorter, so you get more.
