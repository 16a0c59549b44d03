# /// fake
# pretends = "learned rows for places, whatever the tokens are"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        rows = self.places if self.kind == "learned" else torch.ones(self.max_len, self.d_model)
        rows = rows[: tokens.size(1)].to(self.table)
        return rows.expand(tokens.size(0), -1, -1) + 0 * self.table.sum()
