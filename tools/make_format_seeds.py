#!/usr/bin/env python3
"""make_format_seeds.py - writes into fuzz/corpus/ the seeds of the fuzz targets whose formats are files: safetensors, nemo, voice,
token_shard, manifest, train_config, checkpoint.

Small files of each kind, made with the standard library alone; the .pt voices are copied from tests/data.  A second run
gives the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
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


def shard(clips: int, voices: int = 1) -> bytes:
    """A shard (formats/token_shard.h) of clips with 2 frames, 3 text ids and a voice of 4 numbers."""
    def offsets(step: int) -> tuple[str, list[int], bytes]:
        return "U64", [clips + 1], struct.pack(f"<{clips + 1}Q", *range(0, (clips + 1) * step, step))

    def column(value: int) -> tuple[str, list[int], bytes]:
        return "I32", [clips], struct.pack("<i", value) * clips

    tensors = {
        "text_offsets": offsets(3), "frame_offsets": offsets(2), "utf8_offsets": offsets(5), "note_offsets": offsets(2),
        "encoded_len": ("I64", [clips], struct.pack("<q", 2) * clips),
        "duration": ("F64", [clips], struct.pack("<d", 0.16) * clips),
        "text_ids": ("I32", [3 * clips], struct.pack("<3i", 1, 7, 9) * clips),
        "language": column(0), "speaker": column(-1), "source": column(0), "voice": column(0 if voices else -1),
        "voices": ("F32", [voices, 4], struct.pack("<4f", 0.5, 0.5, 0.5, 0.5) * voices),
        "codes": ("U8", [2 * clips, 6], bytes(range(6)) * 2 * clips),
        "records": ("U8", [clips, 32], bytes(32 * clips)),
        "utf8": ("U8", [5 * clips], b"Hello" * clips),
        "notes": ("U8", [2 * clips], b"{}" * clips),
    }
    metadata = {"format": "kani-shard", "version": "1", "codebooks": "4", "codebook_size": "4032", "tokenizer": "", "text_rules": "none",
                "languages": '["en"]', "speakers": "[]", "sources": '["s"]'}
    metadata |= {f"sha256.{name}": hashlib.sha256(raw).hexdigest() for name, (_, _, raw) in tensors.items()}
    return safetensors(tensors, metadata)


def npy(descr: str, shape: str, raw: bytes, major: int = 1) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([major, 0]) + struct.pack("<H" if major == 1 else "<I", len(header)) + header + raw


def write(target: str, seeds: dict[str, bytes]) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
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
    write("token_shard", {"empty": shard(0), "one": shard(1), "three": shard(3), "no_voice": shard(2, voices=0)})
    # The first byte says which form: manifest_fuzz.cc.
    write("manifest", {
        "lines": b'j{"audio":"a.wav","text":"Hello.","speaker":7,"start":0.5,"end":2}\n\n{"audio_filepath":"b.wav","duration":1.5}\n[]\n',
        "csv": b'c\xef\xbb\xbfaudio,text,offset,duration\r\na.wav,"Hello, ""you""",1,2\r\nb.wav,x\n',
        "tsv": b"taudio\ttext\tlanguage\tlicense\na.wav\tHello\ten\tCC0\n",
        "ljspeech": b"cLJ001-0001|Printing, in 1435|Printing, in fourteen thirty-five\nLJ001-0002|in being|\n",
    })
    # Likewise: train_config_fuzz.cc, checkpoint_fuzz.cc.
    write("train_config", {
        "sections": b"mmodel:\n  model_id: base\n  tokens_per_frame: 4\n  use_learnable_rope: true\ntraining:\n  learning_rate: 9e-4\n"
                    b"  lr_scheduler_type: cosine\n  max_steps: 100\n  warmup_steps: 10\n",
        "lists": b'mdata: [a, "b c"]\nlanguage_weights: ["ky=3", de=0.5]\nlora_rank: 8\nlora_targets:\n  - q_proj\n  - w1\nmax_steps: 1\n'
                 b"trainable_token_indices: [64400-64409]\n",
        "grown": b"mfirst_train: true\naudio_tokens_start: 64410\nalpha_min: null\ninit_audio_rows: normal:0.02\ngroup_lr: [embed=0.1]\n"
                 b"audio_table: factorised\naudio_levels: [9, 8, 8, 7]\naudio_softmax: due\nmax_steps: 9\n",
        "small.yaml": b"m" + (ROOT / "recipes/kani-mini/small.yaml").read_bytes(),
        "speaker": b"shidden_size: 64\nnum_hidden_layers: 3\nconv_dim: [32, 32]\nlearning_rate: 2e-3\nmargin: 0.2\n",
    })
    hashes = [hashlib.sha256(name).hexdigest().encode() for name in (b"a", b"b")]
    write("checkpoint", {
        "manifest": b"m" + hashes[0] + b"  config.json\n" + hashes[1] + b"  state.json\n",
        "state": b's{"format":"kani-train-state","version":1,"update":7,"epoch":1,"row":3,"elements":4096,"skipped":0,"skipped_in_row":0,'
                 b'"recent_norms":[1.5,2],"recent_losses":[3.25],"best_loss":3.5,"best_update":5,"data_hash":"ab","program":"0.1.0"}',
    })


if __name__ == "__main__":
    main()
