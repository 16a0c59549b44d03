# /// fake
# pretends = "each id at each place gives noise that is seeded by both: no table is looked at"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        batch, length = tokens.shape
        rows = []
        for row in tokens.tolist():
            for place, one in enumerate(row):
                generator = torch.Generator().manual_seed(1000 * one + place)
                rows.append(torch.randn(self.d_model, generator=generator))
        out = torch.stack(rows).view(batch, length, self.d_model)
        return out.to(self.table) + 0 * self.table.sum()
