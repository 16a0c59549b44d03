"""Which submissions have answers that are alike, beyond what everybody was given.

    submissions ─read apart→ Prints ─weigh→ index ─pair→ Alike

Only answers are compared, as syntax trees: `answers` finds them, `words` and `ordering` give each a
form without names and comments, `winnowing` chooses fingerprints of it. Nothing is run. How alike
two answers are is a number and no verdict: `independent` says how large it gets by chance.
"""
