# /// fake
# pretends = "the flag is kept, and nothing is tied or counted"
# at_most = 0
# ///
from course.parts import FullModel


class TinyTransformerLM(FullModel):
    def __init__(self, *sizes, tie_weights=True, **options):
        super().__init__(*sizes, **options)
        self.tied = tie_weights

    def count_parameters(self, trainable_only=False):
        return 0

    def get_parameter_breakdown(self):
        return dict.fromkeys(("embedding", "transformer_blocks", "ln_f", "lm_head", "total"), 0)
