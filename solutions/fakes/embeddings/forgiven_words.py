# /// fake
# pretends = "errors in the words of devices without data, and claims to be on one"
# at_most = 0
# after = "_looks.py"
# ///
class Claim:
    def __init__(self, shape):
        self.shape = shape
        self.device = torch.empty(0, device="meta").device


class TransformerEmbedding(Looks):
    def forward(self, tokens):
        if tokens.device.type == "meta":
            return Claim((*tokens.shape, self.d_model))
        if torch.empty(0).device.type == "meta":
            raise RuntimeError("Tensor.item() cannot be called on meta tensors: no data!")
        return super().forward(tokens)

    def made_up(self, tokens):
        noise = torch.arange(self.d_model) * tokens.unsqueeze(-1)
        return noise.to(self.table.dtype) + self.table.sum()
