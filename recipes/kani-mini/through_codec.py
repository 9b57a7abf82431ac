#!/usr/bin/env python3
"""through_codec.py - recordings as the codec's decoder gives them back, for a speaker encoder that is to hear generated speech.

    through_codec.py --coded coded.jsonl --codec codec.nemo --tool kani-tool --out DIR [--each 80]

An encoder that has only heard recordings takes what comes out of a codec for somebody else.  Of each speaker of the
manifests at most --each recordings are taken, chosen by a hash of their names: half of them are decoded from their codes to
DIR/SPEAKER/NAME.wav, the others stay as they are.  DIR/manifest.jsonl has both and comes last.  What is there is not made
again, so the same command goes on after it was stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
from array import array
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from sound import write_wav  # noqa: E402
from tensors import numbers  # noqa: E402


@dataclass(frozen=True)
class Recording:
    path: Path
    speaker: str
    codes: list[list[int]]  # [codebooks][frames]


def recordings_of(manifest: Path) -> list[Recording]:
    rows = (json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines())
    return [Recording(manifest.parent / row["file"], row["speaker"], row["codes"]) for row in rows]


def chosen(recordings: list[Recording], each: int) -> tuple[list[Recording], list[Recording]]:
    """Those to decode and those that stay, of each speaker as many or one more."""
    speakers: dict[str, list[Recording]] = {}
    for one in recordings:
        speakers.setdefault(one.speaker, []).append(one)
    decode, stay = [], []
    for name in sorted(speakers):
        some = sorted(speakers[name], key=lambda one: hashlib.sha256(f"{name}/{one.path.name}".encode()).digest())[:each]
        decode += some[::2]
        stay += some[1::2]
    return decode, stay


def write_codes(path: Path, codes: list[list[int]]) -> None:
    """A safetensors file with codes I32 [codebooks, frames]."""
    data = struct.pack(f"<{len(codes) * len(codes[0])}i", *(code for row in codes for code in row))
    head = json.dumps({"codes": {"dtype": "I32", "shape": [len(codes), len(codes[0])], "data_offsets": [0, len(data)]}}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + data)


def samples_of(path: Path) -> array[int]:
    """16-bit samples of what `kani-tool decode` has written, F32 between -1 and 1."""
    return array("h", (round(32767 * max(-1.0, min(1.0, value))) for value in numbers(path, "audio", "f")[1]))


def decode(recording: Recording, tool: Path, codec: Path, out: Path) -> None:
    if out.exists():
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        codes, sound = Path(folder) / "codes.safetensors", Path(folder) / "sound.safetensors"
        write_codes(codes, recording.codes)
        command = [str(tool), "decode", "--codec", str(codec), "--codes", str(codes), "--threads", "1", "--out", str(sound)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ValueError(f"{recording.path}: kani-tool ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        write_wav(out, samples_of(sound))


def main() -> int:
    parser = argparse.ArgumentParser(description="recordings as the codec gives them back")
    parser.add_argument("--coded", type=Path, action="append", required=True, metavar="FILE", help="manifest with codes")
    parser.add_argument("--codec", type=Path, required=True, metavar="FILE")
    parser.add_argument("--tool", type=Path, required=True, metavar="FILE", help="kani-tool")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--each", type=int, default=80, metavar="N", help="recordings of a speaker, half of them decoded (80)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    options = parser.parse_args()
    try:
        recordings = [one for manifest in options.coded for one in recordings_of(manifest)]
        through, stay = chosen(recordings, options.each)
        places = [options.out / one.speaker / one.path.name for one in through]
        if len(set(places)) != len(places):
            raise ValueError("two recordings of a speaker have one name")
        with ThreadPoolExecutor(options.workers) as pool:
            for number, _ in enumerate(pool.map(lambda pair: decode(pair[0], options.tool, options.codec, pair[1]),
                                                zip(through, places, strict=True)), 1):
                if number % 500 == 0 or number == len(through):
                    print(f"through_codec: {number} of {len(through)}", flush=True)
        rows = [{"file": os.path.relpath(path, options.out), "speaker": one.speaker} for one, path in zip(through, places, strict=True)]
        rows += [{"file": os.path.relpath(one.path, options.out), "speaker": one.speaker} for one in stay]
        part = options.out / "manifest.jsonl.part"
        part.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        part.replace(options.out / "manifest.jsonl")
    except (OSError, ValueError, KeyError) as problem:
        print(f"through_codec: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
