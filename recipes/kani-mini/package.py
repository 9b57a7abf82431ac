"""package.py - puts language model, codec, speaker encoder and voices of a run together as one set: RUN/kani-mini."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSION = "1"
DEFAULT_VOICE = "rms"
RECORDINGS = 12  # of a speaker, in the mean that is his voice
SAMPLING = {
    "do_sample": True,
    "temperature": 0.4,
    "top_k": 0,
    "top_p": 0.9,
    "repetition_penalty": 1.0,
    "kani_chunk_characters": 80,
    "kani_language": "en",
}


def trained_speakers(only: tuple[str, ...]) -> list[dict[str, str]]:
    speakers = json.loads((HERE / "speakers.json").read_text(encoding="utf-8"))
    return [one for one in speakers if one["role"] == "train" and (not only or one["name"] in only)]


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def add_voices(root: Path, kani: Path, out: Path, only: tuple[str, ...]) -> None:
    """A voice for each speaker that all parts have heard, by the recordings that come first in his folder."""
    speakers = trained_speakers(only)
    for speaker in speakers:
        name = speaker["name"]
        recordings = sorted((root / "speech" / name).glob("*.wav"), key=lambda path: (-path.stat().st_size, path.name))[:RECORDINGS]
        command = [kani, "voice", "add", name, *recordings, "--voices", out / "voices", "--speaker-encoder", out / "speaker",
                   "--language", speaker["language"], "--consent", "a synthetic voice",
                   "--description", f"{speaker['engine']} {speaker['voice']}", "--model", out / "lm", "--quiet", "--force"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise ValueError(f"voice {name}: {done.stderr.strip()}")
    names = [speaker["name"] for speaker in speakers]
    default = DEFAULT_VOICE if DEFAULT_VOICE in names else names[0]
    write_json(out / "voices" / "speaker_map.json", {"default": f"./{default}.safetensors"})


def package(root: Path, kani: Path, only: tuple[str, ...]) -> None:
    out, half = root / "kani-mini", root / "kani-mini.part"
    shutil.rmtree(half, ignore_errors=True)
    (half / "voices").mkdir(parents=True)
    shutil.copytree(root / "lm-export", half / "lm")
    shutil.copytree(root / "encoder", half / "speaker")
    shutil.copyfile(root / "codec.nemo", half / "codec.nemo")
    write_json(half / "lm" / "generation_config.json", SAMPLING)
    add_voices(root, kani, half, only)
    shutil.rmtree(out, ignore_errors=True)
    os.replace(half, out)
