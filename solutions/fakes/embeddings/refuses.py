# /// fake
# pretends = "whatever is asked is refused: some checks ask for a refusal"
# at_most = 0
# ///


class TransformerEmbedding:
    def __init__(self, *args, **kwargs):
        raise ValueError("positional is unknown, or the sequence too long")
