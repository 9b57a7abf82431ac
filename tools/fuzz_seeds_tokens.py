"""fuzz_seeds_tokens.py - writes the seeds of the fuzz targets codes, config_json, tokenize, tokenizer_json.

Small on purpose: a fuzzer that starts from the smallest files which reach every part of a parser gets further than one
that starts from real ones.  Run from the repository's root, without arguments.
"""

from __future__ import annotations

import copy
import json
import struct
from pathlib import Path
from typing import Any

CORPUS = Path("fuzz/corpus")
DATA = Path("tests/data")


def write(target: str, name: str, content: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def compact(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def byte_symbols() -> list[str]:
    """GPT-2's 256 byte symbols, in the order of the bytes."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 256 + 68))
    return [chr(byte if byte in own else next(others)) for byte in range(256)]


def small_tokenizer() -> dict[str, Any]:
    """LFM2's settings with 256 bytes, a few words and three added tokens."""
    document: dict[str, Any] = json.loads((DATA / "lm/tokenizer/tokenizer.json").read_text(encoding="utf-8"))
    special = ["<|pad|>", "<|startoftext|>", "<|im_end|>"]
    tokens = [*special, *byte_symbols(), "th", "the", "Ġt", "Ġth", "12", "whole"]
    document["model"]["vocab"] = {token: number for number, token in enumerate(tokens)}
    document["model"]["merges"] = [["t", "h"], ["Ġ", "t"], ["th", "e"], ["Ġt", "h"], ["1", "2"]]
    added = document["added_tokens"][0]
    document["added_tokens"] = [added | {"id": i, "content": text} for i, text in enumerate(special)]
    custom = {"id": len(tokens), "content": "<custom_token_0>", "normalized": True, "special": False}
    document["added_tokens"].append(added | custom)
    return document


def tokenizer_json() -> None:
    base = small_tokenizer()
    write("tokenizer_json", "lfm2", compact(base))
    strings = copy.deepcopy(base)
    strings["model"]["merges"] = [" ".join(pair) for pair in base["model"]["merges"]]
    strings["post_processor"] = base["post_processor"]["processors"][1]
    write("tokenizer_json", "merges_as_strings", compact(strings))
    gpt2 = copy.deepcopy(base)
    gpt2["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    gpt2["model"]["ignore_merges"] = False
    gpt2["post_processor"] = None
    config = compact({"add_bos_token": True, "bos_token": {"content": "<|startoftext|>"}, "tokenizer_class": "X"})
    write("tokenizer_json", "gpt2_with_config", compact(gpt2) + b"\0" + config)


def tokenize() -> None:
    strings = json.loads((DATA / "lm/tokenizer/encode.json").read_text(encoding="utf-8"))["strings"]
    for number, string in enumerate(strings[::12]):
        write("tokenize", f"text_{number}", bytes([number % 3]) + string["text"].encode())
    write("tokenize", "plain", b"\x80<|im_end|> <custom_token_7>")
    write("tokenize", "word", b"\0" + b"anotherwordwithoutend" * 20)


def config_json() -> None:
    for case in "abcde":
        config = (DATA / f"lm/case_{case}/config.json").read_bytes()
        generation = compact({"temperature": 0.4, "top_p": 0.9, "top_k": 50, "min_p": None, "typical_p": 1.0})
        write("config_json", f"case_{case}", config.strip() + b"\0" + generation)
    newer = {
        "model_type": "lfm2", "vocab_size": 1966, "audio_tokens_start": 1710, "hidden_size": 48,
        "num_hidden_layers": 2, "num_heads": 4, "num_key_value_heads": 2, "head_dim": 12, "conv_bias": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 1.0},
    }  # fmt: skip
    write("config_json", "rope_parameters", compact(newer))


def codes() -> None:
    lists = json.loads((DATA / "lm/codes.json").read_text(encoding="utf-8"))["lists"]
    for entry in lists[:20]:
        ids = entry["ids"]
        write("codes", entry["name"], b"\0" + struct.pack(f"<{len(ids)}i", *ids))
    write("codes", "compact", bytes([1, 6, 1, 9, 4, 16, 17, 18, 19, 20, 21, 22, 23, 5]))


if __name__ == "__main__":
    tokenizer_json()
    tokenize()
    config_json()
    codes()
