#!/usr/bin/env python3
"""make_format_seeds.py - writes the seeds of the fuzz targets safetensors, nemo and voice into fuzz/corpus/.

Small files of each kind, made with the standard library alone; the .pt voices are copied from tests/data.  A second run
gives the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import struct
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
CONFIG = b"sample_rate: 22050\nsamples_per_frame: 1764\n"
FIXED = (1980, 1, 1, 0, 0, 0)


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def tensor(key: str, count: int, kind: str = "FloatStorage", offset: int = 0) -> bytes:
    size = b"K" + bytes([count])
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu")
        + size + b"tQK" + bytes([offset]) + b"K" + bytes([count - offset]) + b"\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"
    )


def checkpoint_pickle(wrapped: bool = False) -> bytes:
    tensors = text("a.bias") + b"q\x05" + tensor("0", 4) + text("a.levels") + tensor("1", 2, "IntStorage")
    state = b"ccollections\nOrderedDict\n)Rq\x01(" + tensors + b"u}q\x02" + text("_metadata") + b"}" + text("") + b"}" + text(
        "version"
    ) + b"K\x01sssb"
    if wrapped:
        state = b"}" + text("state_dict") + state + b"s"
    return b"\x80\x02" + state + b"."


def archive(pickle: bytes, storages: list[bytes], root: str = "m") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        members = [("data.pkl", pickle), ("byteorder", b"little")]
        members += [(f"data/{i}", data) for i, data in enumerate(storages)] + [("version", b"3\n")]
        for name, data in members:
            file.writestr(zipfile.ZipInfo(f"{root}/{name}", FIXED), data)
    return out.getvalue()


def nemo(checkpoint: bytes, layout: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=layout) as file:
        for name, data in (("./model_config.yaml", CONFIG), ("./model_weights.ckpt", checkpoint)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if layout == tarfile.PAX_FORMAT:
                info.pax_headers = {"mtime": "1.5", "path": name}
            file.addfile(info, io.BytesIO(data))
        end = file.offset
    return out.getvalue()[:end] + bytes(1024)  # without the padding to 10,240


def safetensors(tensors: dict[str, tuple[str, list[int], bytes]], metadata: dict[str, str] | None = None) -> bytes:
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    body = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(body)) + body + data


def npy(descr: str, shape: str, raw: bytes, major: int = 1) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([major, 0]) + struct.pack("<H" if major == 1 else "<I", len(header)) + header + raw


def write(target: str, seeds: dict[str, bytes]) -> None:
    folder = CORPUS / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in seeds.items():
        (folder / name).write_bytes(data)


def main() -> None:
    four = struct.pack("<4f", 1, 2, 3, 4)
    weights = archive(checkpoint_pickle(), [four, four[:8]])
    wrapped = archive(checkpoint_pickle(wrapped=True), [four, four[:8]])
    ustar = nemo(weights, tarfile.USTAR_FORMAT)
    write("nemo", {
        "ustar.nemo": ustar,
        "pax.nemo": nemo(weights, tarfile.PAX_FORMAT),
        "gnu.nemo": nemo(wrapped, tarfile.GNU_FORMAT),
        "gzip.nemo": gzip.compress(ustar, mtime=0),
    })
    write("safetensors", {
        "empty": safetensors({}),
        "metadata": safetensors({"a": ("F32", [4], four)}, {"format": "pt"}),
        "several": safetensors({"a": ("F32", [2, 2], four), "b": ("U8", [3], b"abc"), "c": ("BF16", [0], b""), "d": ("I64", [], four[:8])}),
        "index.json": json.dumps({"metadata": {"total_size": 4}, "weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}).encode(),
    })
    voices = {
        "own.safetensors": safetensors({"speaker_emb": ("F32", [4], four)}, {"format": "kani-voice-1", "name": "Ida"}),
        "f4.npy": npy("<f4", "(4,)", four),
        "f8.npy": npy("<f8", "(1, 2)", four, 2),
        "voice.json": b'{"embedding": [1, 2.5, -3e-1, 4], "name": "Ida"}',
        "list.pt": archive(b"\x80\x02](" + tensor("0", 4) + tensor("0", 4) + b"e.", [four]),
        "dictionary.pt": archive(b"\x80\x02}" + text("v") + tensor("0", 4, "HalfStorage", 1) + b"s.", [four[:8]]),
        "checkpoint.pkl": checkpoint_pickle(),
        "voice.pkl": b"\x80\x02" + tensor("0", 4) + b".",
    }
    for folder in ("voices", "accept", "either"):
        for path in sorted((ROOT / "tests/data/speaker/pt" / folder).glob("*.pt")):
            voices[path.name] = path.read_bytes()
    write("voice", voices)


if __name__ == "__main__":
    main()
