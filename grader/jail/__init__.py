"""What a worker gives up before the first byte of a submission runs.

A jail is judged by properties, not by mechanisms: `properties.py` says which layers provide what.
"""
