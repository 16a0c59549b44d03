# /// fake
# pretends = "nothing is tied; a table is counted where two are, and twice where it is said to be shared"
# at_most = 0
# ///
from course.parts import FullModel


class TinyTransformerLM(FullModel):
    def __init__(self, *sizes, tie_weights=True, **options):
        super().__init__(*sizes, **options)
        self.tied = tie_weights

    def count_parameters(self, trainable_only=False):
        whole = sum(p.numel() for p in self.parameters())
        frozen = sum(p.numel() for p in self.parameters() if not p.requires_grad)
        return whole + self.vocab_size * self.d_model * (not self.tied) - frozen * trainable_only

    def get_parameter_breakdown(self):
        total = self.count_parameters()
        return {
            "embedding": total,
            "transformer_blocks": 0,
            "ln_f": 0,
            "lm_head": 0,
            "total": total,
        }
