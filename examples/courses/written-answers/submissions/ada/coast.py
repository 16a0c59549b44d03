# %%
import math

# %%
def length(line):
    result = 0.0
    for a, b in zip(line, line[1:]):
        result += math.hypot(b[0] - a[0], b[1] - a[1])
    return result

# %% [markdown] answer="why_longer"
# A long ruler goes straight over bays and capes. A **shorter** one goes into them, so that what it cut off before is
# measured now. There are smaller bays in each bay, so this never ends: the length grows without bound,
# for a coast as mathematicians draw it; a real one ends at grains of sand.

# %% answer="own_line"
def koch(a, b, depth):
    if not depth:
        return [a, b]
    ...
