"""A device that no machine has: what lies there has values, and does not mix with what lies here.

A check of where tensors live needs a second device. `meta`, torch's own device without values, does
not do: code that looks at a value, to refuse an id that is too large, is right and fails there. So
tensors here pretend to lie on it, are computed on the CPU, and mix as those of a GPU do: a tensor
here that has dimensions is refused, a single number is not, and copies go either way. A check may
also take this device for the CPU and the CPU for a GPU, so a single number there is not refused
either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

NAME = "meta"
"""What the device is called: a real name of torch's, or nothing would move there."""

aten = torch.ops.aten

COPIES = (aten._to_copy.default, aten.copy_.default)
INDEXING = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default)
"""A GPU takes indices from the CPU."""

FROM_NUMBERS = (torch.tensor, torch.as_tensor, torch.asarray, Tensor.new_tensor)
"""They write values before a mode can see where."""

INTO_ANOTHER = (
    *(torch.arange, torch.linspace, torch.empty, torch.full, torch.ones, torch.zeros),
    *(torch.rand, torch.randn, torch.randint, torch.randperm),
)
"""With `out`, they know where to write; torch takes the default device all the same."""


class There(Tensor):
    """A tensor on the other device.

    Attributes:
        held: its values, on the CPU.
    """

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> There:
        """Describe the tensor that is held."""
        return Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=torch.device(NAME),
        )

    def __init__(self, held: Tensor) -> None:
        self.held = held

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Perform an operation, also after the device is gone."""
        return performed(function, args, kwargs or {})


class OtherDevice(TorchDispatchMode):
    """While inside, there is another device."""

    def __enter__(self) -> OtherDevice:
        self.makers = Makers()
        self.makers.__enter__()  # type: ignore[no-untyped-call]
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self.makers.__exit__(*error)  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Perform an operation."""
        return performed(function, args, kwargs or {})


class Makers(TorchFunctionMode):
    """Makes tensors from numbers here and moves them: there, they would have no values."""

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call a function of torch's."""
        kwargs = dict(kwargs or {})
        if function is Tensor.tolist and isinstance(args[0], There):
            return args[0].held.tolist()
        if function in INTO_ANOTHER and kwargs.get("out") is not None:
            kwargs.setdefault("device", kwargs["out"].device)
        if function not in FROM_NUMBERS:
            return function(*args, **kwargs)
        of_self = args[0].device if function is Tensor.new_tensor else None
        device = kwargs.pop("device", None) or of_self or torch.empty(0).device
        if torch.device(device).type != NAME:
            return function(*args, **kwargs, device=device)
        return function(*args, **kwargs, device="cpu").to(NAME)


def values_there(tensor: Tensor) -> Tensor:
    """The values of a tensor that lies on the other device.

    Raises:
        TypeError: it lies elsewhere.
    """
    if type(tensor) is torch.nn.Parameter:
        tensor = tensor.data
    if type(tensor) is not There:
        raise TypeError("this tensor is not on the other device")
    return tensor.held.clone()


def performed(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Perform an operation on what tensors hold; its results lie where a GPU would leave them.

    Raises:
        RuntimeError: it mixes tensors here with tensors there.
    """
    tensors = [part for part in pytree.tree_leaves((args, kwargs)) if isinstance(part, Tensor)]
    there = [tensor for tensor in tensors if isinstance(tensor, There)]
    here = [tensor for tensor in tensors if not isinstance(tensor, There) and tensor.dim() > 0]
    numbers_there = bool(here) and all(tensor.dim() == 0 for tensor in there)
    if there and here and not (numbers_there or allowed_to_mix(function, args)):
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found {NAME} and cpu"
        )
    wanted = kwargs.get("device")
    leaves_there = bool(there) and not numbers_there
    if wanted is not None:
        leaves_there = torch.device(wanted).type == NAME
        kwargs = {**kwargs, "device": "cpu"}
    owners = {id(tensor.held): tensor for tensor in there} | {id(one): one for one in here}

    def wrapped(result: Any) -> Any:
        if not isinstance(result, Tensor):
            return result
        owner = owners.get(id(result))
        if owner is not None:
            if isinstance(owner, There) is leaves_there:
                return owner
            result = result.clone()  # `to`, which arrives whole in inference mode, copied nothing
        return There(result) if leaves_there else result

    def held(part: Any) -> Any:
        return part.held if isinstance(part, There) else part

    held_args, held_kwargs = pytree.tree_map(held, (tuple(args), kwargs))
    return pytree.tree_map(wrapped, function(*held_args, **held_kwargs))


def allowed_to_mix(function: Callable[..., Any], args: Sequence[Any]) -> bool:
    """Whether an operation takes tensors of both devices, these ones."""
    return function in COPIES or (function in INDEXING and isinstance(args[0], There))
