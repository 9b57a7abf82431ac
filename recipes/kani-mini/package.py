"""package.py - puts language model, codec, speaker encoder and voices of a run together as one set: RUN/kani-mini.

samples/ of the set is what its codec makes of three held-out sentences of the teacher: N.txt, N.codes.txt (a frame a line)
and N.wav.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import wave
from array import array
from pathlib import Path

from tensors import numbers

HERE = Path(__file__).resolve().parent
VERSION = "4"
SAMPLES = 3
DEFAULT_VOICE = "rms"
RECORDINGS = 12  # of a speaker, in the mean that is his voice
SAMPLING = {
    "do_sample": True,
    "temperature": 0.25,
    "top_k": 0,
    "top_p": 0.9,
    "repetition_penalty": 1.0,
    "kani_chunk_characters": 80,
    "kani_language": "en",
}


def run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise ValueError(f"{Path(str(command[0])).name} {command[1]}: {done.stderr.strip()}")


def default_voice(only: tuple[str, ...]) -> str:
    return only[0] if only else DEFAULT_VOICE


def add_samples(root: Path, kani: Path, out: Path, voice: str) -> None:
    rows = [json.loads(line) for line in (root / "texts" / "heldout-everyday.jsonl").read_text(encoding="utf-8").splitlines()]
    folder = out / "samples"
    folder.mkdir()
    with tempfile.TemporaryDirectory() as scratch:
        codes, audio = Path(scratch) / "codes", Path(scratch) / "audio"
        for number, row in enumerate(rows[:SAMPLES], 1):
            tool, codec = kani.with_name("kani-tool"), out / "codec.nemo"
            run(tool, "encode", "--codec", codec, "--audio", root / "heldout" / voice / f"{row['id']}.wav", "--out", codes)
            run(tool, "decode", "--codec", codec, "--codes", codes, "--out", audio)
            (books, frames), ids = numbers(codes, "codes", "i")
            lines = [" ".join(str(ids[book * frames + frame]) for book in range(books)) for frame in range(frames)]
            (folder / f"{number}.codes.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
            (folder / f"{number}.txt").write_text(row["text"] + "\n", encoding="utf-8")
            with wave.open(str(folder / f"{number}.wav"), "wb") as sound:
                sound.setparams((1, 2, 22050, 0, "NONE", ""))
                sound.writeframes(array("h", (round(32767 * x) for x in numbers(audio, "audio", "f")[1])).tobytes())


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
        run(kani, "voice", "add", name, *recordings, "--voices", out / "voices", "--speaker-encoder", out / "speaker",
            "--language", speaker["language"], "--consent", "a synthetic voice",
            "--description", f"{speaker['engine']} {speaker['voice']}", "--model", out / "lm", "--quiet", "--force")
    write_json(out / "voices" / "speaker_map.json", {"default": f"./{default_voice(only)}.safetensors"})


def package(root: Path, kani: Path, only: tuple[str, ...]) -> None:
    out, half = root / "kani-mini", root / "kani-mini.part"
    shutil.rmtree(half, ignore_errors=True)
    (half / "voices").mkdir(parents=True)
    shutil.copytree(root / "lm-many-export", half / "lm")
    shutil.copytree(root / "encoder-heard", half / "speaker")
    shutil.copyfile(root / "codec.nemo", half / "codec.nemo")
    write_json(half / "lm" / "generation_config.json", SAMPLING)
    add_voices(root, kani, half, only)
    add_samples(root, kani, half, default_voice(only))
    shutil.rmtree(out, ignore_errors=True)
    os.replace(half, out)
