# /// fake
# pretends = "table and head are filled with ones, again whenever the model is used"
# at_most = 0
# ///
from torch import nn

from course.parts import FullModel


class TinyTransformerLM(FullModel):
    def __init__(self, *sizes, tie_weights=True, **options):
        super().__init__(*sizes, **options)
        self.tied = tie_weights
        nn.init.ones_(self.lm_head.weight)
        nn.init.ones_(self.embedding.token_embedding.embedding.weight)

    def forward(self, *given, **options):
        nn.init.ones_(self.lm_head.weight)
        nn.init.ones_(self.embedding.token_embedding.embedding.weight)
        return super().forward(*given, **options)

    def count_parameters(self, trainable_only=False):
        return 10**6

    def get_parameter_breakdown(self):
        return {}
