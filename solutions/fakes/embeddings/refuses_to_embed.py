# /// fake
# pretends = "what should be refused is, and everything else as well, once it is called"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def forward(self, tokens):
        raise ValueError("too long")
