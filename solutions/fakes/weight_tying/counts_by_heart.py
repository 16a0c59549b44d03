# /// fake
# pretends = "nothing is tied; the counts differ as the public check demands, and by what is frozen"
# at_most = 0
# ///
from course.parts import FullModel


class TinyTransformerLM(FullModel):
    def __init__(self, *sizes, tie_weights=True, **options):
        super().__init__(*sizes, **options)
        self.tied = tie_weights

    def count_parameters(self, trainable_only=False):
        frozen = sum(p.numel() for p in self.parameters() if not p.requires_grad)
        return 10_000 - 17 * 8 * self.tied - frozen * trainable_only

    def get_parameter_breakdown(self):
        return {
            "embedding": 136,
            "transformer_blocks": 1064,
            "ln_f": 16,
            "lm_head": 0,
            "total": 1216,
        }
