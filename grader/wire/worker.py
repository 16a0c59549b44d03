"""What one worker may do and use, as the judge asks for it: JSON on the spawn socket."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

# host memory that CUDA takes for itself before it holds a first tensor
GPU_DRIVER_BYTES = 4 << 30


@dataclass(frozen=True)
class WorkerPolicy:
    """The limits and layers of one worker. Times in seconds, sizes in bytes.

    `forbidden` names layers that must not be used even where the machine offers them: that is how
    a full machine plays a poor one in the tests. With `canary`, the worker serves nobody: it tries
    to break out (`canaries.py`) and reports. `assignment` is told to the course's public packages,
    which may have parts that are not given away in every grading.
    """

    wall_s: float
    memory_bytes: int
    scratch_bytes: int
    threads: int
    device: str = "cpu"
    sandbox: bool = True
    forbidden: tuple[str, ...] = ()
    scratch_files: int = 2000
    open_files: int = 128
    canary: dict[str, Any] | None = None
    assignment: str = "1"

    @property
    def uses_gpu(self) -> bool:
        """Whether the worker is given a GPU."""
        return self.device != "cpu"

    @property
    def torch_device(self) -> str:
        """What torch calls the worker's device: a GPU is the only one that it sees."""
        return "cuda" if self.uses_gpu else "cpu"

    @property
    def host_bytes(self) -> int:
        """Memory that the worker may hold, with what a graphics driver needs in it."""
        return self.memory_bytes + (GPU_DRIVER_BYTES if self.uses_gpu else 0)

    def to_json(self) -> bytes:
        """Encode for the spawn socket."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> WorkerPolicy:
        """Decode what `to_json` made."""
        fields = json.loads(data)
        fields["forbidden"] = tuple(fields["forbidden"])
        return cls(**fields)
