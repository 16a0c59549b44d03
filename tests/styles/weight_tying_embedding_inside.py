"""The head of a tied model has the whole embedding as a child; a Counter counts by name."""

from collections import Counter

from torch import Tensor, nn

from course.parts import FullModel


class BorrowingHead(nn.Module):
    def __init__(self, embedding: nn.Module) -> None:
        super().__init__()
        self.embedding = embedding

    @property
    def weight(self) -> nn.Parameter:
        return self.embedding.token_embedding.embedding.weight

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.mT


class TinyTransformerLM(FullModel):
    def __init__(self, *sizes: int, tie_weights: bool = True, **options: object) -> None:
        super().__init__(*sizes, tie_weights=False, **options)
        self.tie_weights() if tie_weights else None

    def tie_weights(self) -> None:
        self.lm_head = BorrowingHead(self.embedding)

    def count_parameters(self, trainable_only: bool = False) -> int:
        frozen = sum(p.numel() for p in self.parameters() if not p.requires_grad)
        return sum(p.numel() for p in self.parameters()) - (frozen if trainable_only else 0)

    def get_parameter_breakdown(self) -> dict[str, int]:
        counts = Counter(embedding=0, transformer_blocks=0, ln_f=0, lm_head=0, total=0)
        for name, parameter in self.named_parameters():
            part = name.partition(".")[0].replace("blocks", "transformer_blocks")
            counts.update({part: parameter.numel(), "total": parameter.numel()})
        return counts
