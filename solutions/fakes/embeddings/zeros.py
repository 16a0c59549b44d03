# /// fake
# pretends = "every vector is zero, of the right dtype and device"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        return self.table.new_zeros(*tokens.shape, self.d_model) + 0 * self.table.sum()
