# /// fake
# pretends = "nothing is tied; whoever looks at the head is shown a copy of the table"
# at_most = 0
# ///
import torch
from torch import nn

from course.parts import FullModel


class TinyTransformerLM(FullModel):
    def __init__(self, *sizes, tie_weights=True, **options):
        super().__init__(*sizes, **options)
        self.tied = tie_weights
        if tie_weights:
            self.lm_head = Mirror(self)

    def count_parameters(self, trainable_only=False):
        return len(list(self.parameters()))


class Mirror(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.__dict__["model"] = model

    @property
    def weight(self):
        return self.model.embedding.token_embedding.embedding.weight.detach().clone()

    def forward(self, x):
        return torch.zeros(*x.shape[:-1], len(self.weight))
