# /// fake
# pretends = "sines and cosines, whatever the tokens are"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        places = torch.arange(tokens.size(1), dtype=torch.float64).unsqueeze(1)
        even = torch.arange(0, self.d_model, 2, dtype=torch.float64)
        angle = places / 10000 ** (even / self.d_model)
        waves = torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[:, : self.d_model]
        return waves.to(self.table).expand(tokens.size(0), -1, -1) + 0 * self.table.sum()
