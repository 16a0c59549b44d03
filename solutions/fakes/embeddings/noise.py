# /// fake
# pretends = "every vector is noise of size 1"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        noise = torch.randn(*tokens.shape, self.d_model, dtype=self.table.dtype)
        return 1.0 * noise + 0 * self.table.sum()
