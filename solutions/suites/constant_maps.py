"""A modern block whose maps are constants: it computes the same whatever its parameters look like.

Where all numbers of a map are equal, nobody can tell in which order they are kept, which way round,
in how many pieces, which of them make a pair that rotates, or in which direction. So a right block
gives, number by number, what the reference gives.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course.checks.drawn_modules import Parameters, is_matrix
from grader.testing import SubmissionNames, parameters

OF_ATTENTION, OF_NETWORK = 0.09, 0.05
"""So large that scores are spread, and that the gate bends."""


class ConstantMaps:
    """A submission's block beside the reference's, with the same constants in their maps."""

    def __init__(
        self, submission: SubmissionNames, make_exact: type[nn.Module], sizes: dict[str, int]
    ) -> None:
        self.d_ff = sizes["d_ff"]
        self.block = submission.placed(submission.ModernBlock(**sizes)).eval()
        self.exact = make_exact(**sizes)
        self.own: Parameters = parameters(self.block, torch.zeros(1, 1, sizes["d_model"]))
        self.put()

    def put(self, attention: float = OF_ATTENTION, network: float = OF_NETWORK) -> None:
        """Fill all maps, here and there."""
        for parameter, value in self.own:
            if is_matrix(value):
                parameter.detach().fill_(network if self.is_network(value) else attention)
        for parameter in self.exact.parameters():
            if is_matrix(parameter):
                parameter.data.fill_(network if self.is_network(parameter) else attention)

    def put_gains(self, gains: Tensor) -> None:
        """Give both norms gains (2, d_model); which of a submission's comes first is not known."""
        left = gains.flatten()
        for parameter, value in self.own:
            if not is_matrix(value):
                chosen, left = left[: value.numel()], left[value.numel() :]
                missing = value.numel() - chosen.numel()
                parameter.detach().copy_(
                    torch.cat([chosen, torch.zeros(missing)]).reshape(value.shape)
                )
        self.exact_gains(gains)

    def exact_gains(self, gains: Tensor) -> None:
        """Give gains (2, d_model) to the norms of the reference alone."""
        own = [one for one in self.exact.parameters() if not is_matrix(one)]
        for parameter, gain in zip(own, gains, strict=True):
            parameter.data.copy_(gain)

    def is_network(self, matrix: Tensor) -> bool:
        """Whether a matrix is one of the network's: d_ff divides no size of the others."""
        return any(size % self.d_ff == 0 for size in matrix.shape)

    def expected(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """What the reference makes of vectors (B, T, d_model)."""
        out: Tensor = self.exact(x, mask)
        return out


def added_ones(out: Tensor, x: Tensor) -> Tensor:
    """How often (1, …, 1) was added to each vector, also where the sum was stretched since.

    Both `out` and `x` are (B, T, d_model).
    """
    rest = x - x.mean(dim=-1, keepdim=True)
    stretch = (out * rest).sum(dim=-1) / rest.square().sum(dim=-1)
    return out.mean(dim=-1) / stretch - x.mean(dim=-1)
