# /// fake
# pretends = "the most that was found without tying: the head hides from lists and shows the table"
# at_most = 0
# ///
from torch import nn

from course.parts import FullModel


class TinyTransformerLM(FullModel):
    def __init__(self, *sizes, tie_weights=True, **options):
        super().__init__(*sizes, **options)
        self.tied = tie_weights
        if tie_weights:
            self.lm_head = Shown(self.lm_head.weight, self.embedding)

    def parameters(self, recurse=True):
        hidden = [self.lm_head.own] if self.tied else []
        return (p for p in super().parameters(recurse) if all(p is not other for other in hidden))

    def count_parameters(self, trainable_only=False):
        frozen = sum(p.numel() for p in self.parameters() if not p.requires_grad)
        return sum(p.numel() for p in self.parameters()) - frozen * trainable_only

    def get_parameter_breakdown(self):
        total = self.count_parameters()
        return {
            "embedding": total,
            "transformer_blocks": 0,
            "ln_f": 0,
            "lm_head": 0,
            "total": total,
        }


class Shown(nn.Module):
    def __init__(self, weight, embedding):
        super().__init__()
        self.own, self.shown = weight, [embedding]

    @property
    def weight(self):
        return self.shown[0].token_embedding.embedding.weight.data

    def forward(self, x):
        return x @ self.own.T
