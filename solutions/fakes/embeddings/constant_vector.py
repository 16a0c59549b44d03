# /// fake
# pretends = "every vector is the same row of the table"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        return self.table[1].expand(*tokens.shape, -1)
