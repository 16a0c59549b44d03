# /// fake
# pretends = "the most points without positions: rows are scaled and looked up, dropped and refused as asked"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        row = self.table[:1] if self.kind == "sinusoidal" else self.places[:1]
        vectors = nn.functional.embedding(
            tokens, self.table, self.token_embedding.embedding.padding_idx
        )
        return vectors * self.d_model**0.5 + row
