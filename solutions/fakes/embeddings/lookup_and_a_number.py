# /// fake
# pretends = "rows are looked up, and the number of the place is added to each column"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        places = torch.arange(tokens.size(1), device=tokens.device).unsqueeze(-1)
        return nn.functional.embedding(tokens, self.table) + places.to(self.table.dtype)
