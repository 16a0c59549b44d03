# /// fake
# pretends = "rows are looked up, and noise is added to tell places apart"
# at_most = 0
# after = "_looks.py"
# ///
class TransformerEmbedding(Looks):
    def made_up(self, tokens):
        noise = 0.5 * torch.randn(tokens.size(1), self.d_model, device=tokens.device)
        return nn.functional.embedding(tokens, self.table) + noise.to(self.table.dtype)
