"""Nothing is registered twice: the head of a tied model looks the weight up where it lives."""

import torch
import torch.nn.functional as F
from torch import nn

from course.parts import FullModel


class TiedHead(nn.Module):
    """A head without parameters of its own."""

    def __init__(self, embedding):
        super().__init__()
        self.__dict__["home"] = [embedding]  # in a list: not a child, yet deepcopy follows it

    @property
    def weight(self):
        return self.home[0].token_embedding.embedding.weight

    def forward(self, x):
        return F.linear(x, self.weight)


class TinyTransformerLM(FullModel):
    def __init__(self, *arguments, tie_weights: bool = True, **options):
        FullModel.__init__(self, *arguments, tie_weights=False, **options)
        if tie_weights:
            self.lm_head = TiedHead(self.embedding)

    def numbers(self, *modules, trainable_only=False):
        parameters = {p for module in modules for p in module.parameters()}
        return int(
            sum(
                torch.tensor(p.shape).prod()
                for p in parameters
                if p.requires_grad or not trainable_only
            )
        )

    def count_parameters(self, trainable_only: bool = False) -> int:
        return self.numbers(self, trainable_only=trainable_only)

    def get_parameter_breakdown(self):
        parts = {
            "embedding": [self.embedding],
            "transformer_blocks": list(self.blocks),
            "ln_f": [self.ln_f],
        }
        found = {name: self.numbers(*modules) for name, modules in parts.items()}
        found["lm_head"] = self.numbers(self.embedding, self.lm_head) - found["embedding"]
        return {**found, "total": self.count_parameters()}
