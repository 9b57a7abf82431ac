"""tensors.py - what kani-tool writes and reads: tensors in safetensors files."""

from __future__ import annotations

import json
import struct
from array import array
from pathlib import Path


def numbers(path: Path, name: str, kind: str) -> tuple[list[int], array]:  # type: ignore[type-arg]
    """Shape and values of a tensor of a safetensors file; `kind` as array has it."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    tensor = json.loads(data[8 : 8 + length])[name]
    begin, end = tensor["data_offsets"]
    return tensor["shape"], array(kind, data[8 + length + begin : 8 + length + end])
