# /// fake
# pretends = "a constant of 1e5 and a little of the id and the place"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        places = torch.arange(tokens.size(1), device=tokens.device)
        own = (tokens + places).unsqueeze(-1).to(self.table.dtype)
        return 1e5 + own * 0.01 + self.table.sum() * 0 + self.table.new_zeros(self.d_model)
