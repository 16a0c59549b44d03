# /// fake
# pretends = "ids themselves, as numbers, in each column"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        return (
            tokens.unsqueeze(-1).to(self.table.dtype).expand(-1, -1, self.d_model)
            + 0 * self.table.sum()
        )
