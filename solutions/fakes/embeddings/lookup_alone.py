# /// fake
# pretends = "rows are looked up, and no more: no position, no scale"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        return nn.functional.embedding(tokens, self.table)
