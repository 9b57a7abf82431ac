"""broken.py - copies of a good model with one thing wrong each.  Everything is made here, byte by byte."""

from __future__ import annotations

import json
import os
import shutil
import struct
from pathlib import Path
from typing import Any, Callable


def copy_model(source: Path, target: Path) -> Path:
    """A set (lm/, codec.nemo, …) whose files may be changed; returns the folder of the language model."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    return target / "lm" if (target / "lm").is_dir() else target


def read_safetensors(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + length]), data[8 + length:]


def write_safetensors(path: Path, header: dict[str, Any], body: bytes) -> None:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def weights(lm: Path) -> Path:
    return lm / "model.safetensors"


def cut(path: Path, keep: Callable[[int], int]) -> None:
    """Only the first keep(length) bytes."""
    data = path.read_bytes()
    path.write_bytes(data[:keep(len(data))])


def without_tensor(lm: Path) -> None:
    """The last tensor that a model cannot do without is missing, bytes and all."""
    header, body = read_safetensors(weights(lm))
    names = [name for name in header if name != "__metadata__"]
    last = max((name for name in names if "speaker" not in name), key=lambda name: header[name]["data_offsets"][1])
    begin, end = header.pop(last)["data_offsets"]
    body = body[:begin] + body[end:]
    for name in names:
        if name in header and header[name]["data_offsets"][0] >= end:
            header[name]["data_offsets"] = [offset - (end - begin) for offset in header[name]["data_offsets"]]
    write_safetensors(weights(lm), header, body)


def with_other_shape(lm: Path) -> None:
    """A matrix is transposed in name only: same bytes, rows and columns exchanged."""
    header, body = read_safetensors(weights(lm))
    name = next(n for n, t in header.items()
                if n != "__metadata__" and len(t["shape"]) == 2 and t["shape"][0] != t["shape"][1])
    header[name]["shape"].reverse()
    write_safetensors(weights(lm), header, body)


def with_nan(lm: Path) -> None:
    """The first number of every second tensor is NaN, in whatever type it is stored."""
    header, body = read_safetensors(weights(lm))
    patterns = {"F32": b"\x00\x00\xc0\x7f", "BF16": b"\xc0\x7f", "F16": b"\x00\x7e"}
    changed = bytearray(body)
    for name, tensor in header.items():
        if name != "__metadata__" and tensor["dtype"] in patterns:
            begin = tensor["data_offsets"][0]
            pattern = patterns[tensor["dtype"]]
            changed[begin:begin + len(pattern)] = pattern
    write_safetensors(weights(lm), header, bytes(changed))


def with_overlap(lm: Path) -> None:
    """Two tensors share their bytes."""
    header, body = read_safetensors(weights(lm))
    names = sorted((n for n in header if n != "__metadata__"), key=lambda n: header[n]["data_offsets"][0])
    header[names[1]]["data_offsets"] = list(header[names[0]]["data_offsets"])
    header[names[1]]["shape"] = list(header[names[0]]["shape"])
    write_safetensors(weights(lm), header, body)


def with_huge_header(lm: Path) -> None:
    data = weights(lm).read_bytes()
    weights(lm).write_bytes(struct.pack("<Q", 1 << 62) + data[8:])


def change_config(lm: Path, **values: Any) -> None:
    """None removes a key."""
    path = lm / "config.json"
    config = json.loads(path.read_text())
    for key, value in values.items():
        if value is None:
            config.pop(key, None)
        else:
            config[key] = value
    path.write_text(json.dumps(config))


def replace_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)
