"""parts.py - what each part of `evaluate` judges: sentences with their voices, and what stands beside them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
Row = dict[str, Any]  # a line of a list of sentences
VOICE, SPANISH_VOICE = "rms", "es-hombre"
CLONE_SENTENCES, KNOWN_BY = 5, 20  # of a speaker: sentences, each with a recording of its own; other recordings that he is known by
VOICE_SENTENCES = 10  # of each of the other voices
# Ten of the thirteen English ones; those that remain (rms-97, slt-115-215, hts-102) are nearest to speakers that were trained on.
CLONED = ("ked", "ked-high", "rms-122", "slt-84-120", "awb-88-120", "awb-121-230", "kal-86-90", "kal-121-190", "espeak-us",
          "espeak-scot-f")


def rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_sentences(path: Path, sentences: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in sentences), encoding="utf-8")


def sentences_of(run: Path, name: str, **more: str) -> list[Row]:
    return [{**{key: row[key] for key in ("id", "language", "text")}, **more} for row in rows(run / "texts" / f"{name}.jsonl")]


def clones(run: Path) -> list[Row]:
    """Each speaker says sentences of his own share of the everyday list, each with the voice of another of his longest recordings.
    Whom a sound is nearest to is asked of recordings that no voice was made from."""
    texts = sentences_of(run, "heldout-everyday")
    sentences = []
    for number, speaker in enumerate(CLONED):
        recordings = sorted((run / "strangers" / speaker).glob("*.wav"), key=lambda path: (-path.stat().st_size, path.name))
        others = recordings[CLONE_SENTENCES:][:: max(1, (len(recordings) - CLONE_SENTENCES) // KNOWN_BY)][:KNOWN_BY]
        for place, recording in enumerate(recordings[:CLONE_SENTENCES]):
            text = texts[(number * CLONE_SENTENCES + place) % len(texts)]
            sentences.append({**text, "id": f"{speaker}-{place + 1}", "speaker": speaker, "set": "clones", "reference": str(recording),
                              "recordings": [str(path) for path in others]})
    return sentences


def strangers(run: Path, out: Path) -> list[Row]:
    """The recordings that the clones' voices are made of, put together in `out`, and what is said in them."""
    said = {row["file"]: row["text"] for row in rows(run / "strangers" / "manifest.jsonl")}
    out.mkdir(parents=True, exist_ok=True)
    sentences = []
    for one in clones(run):
        recording = Path(one.pop("reference"))
        shutil.copyfile(recording, out / f"{one['id']}.wav")
        text = said[str(recording.relative_to(run / "strangers"))]
        sentences.append({**one, "set": "strangers", "text": text})
    return sentences


def other_voices(run: Path, model: Path) -> list[str]:
    """English ones of the set, but for the default; of Spanish no recognizer is at hand."""
    speakers = json.loads((HERE / "speakers.json").read_text(encoding="utf-8"))
    return [one["name"] for one in speakers if one["role"] == "train" and one["language"] == "en" and one["name"] != VOICE
            and (model / "voices" / f"{one['name']}.safetensors").is_file() and (run / "heldout" / one["name"]).is_dir()]


def voices(run: Path, model: Path, teacher: Path) -> list[Row]:
    """Each voice says the first everyday sentences; its teacher's recordings of them are put together in `teacher`.  Each is known
    by its teacher's recordings of general sentences, of which neither voice nor sound was made."""
    texts = sentences_of(run, "heldout-everyday")[:VOICE_SENTENCES]
    known = [row["id"] for row in sentences_of(run, "heldout-general")][:KNOWN_BY]
    teacher.mkdir(parents=True, exist_ok=True)
    sentences = []
    for text in texts:
        for voice in other_voices(run, model):
            own = run / "heldout" / voice
            name = f"{voice}-{text['id']}"
            shutil.copyfile(own / f"{text['id']}.wav", teacher / f"{name}.wav")
            sentences.append({**text, "id": name, "speaker": voice, "set": "voices", "voice": voice,
                              "recordings": [str(own / f"{one}.wav") for one in known]})
    return sentences


def development(run: Path, out: Path) -> list[Row]:
    """The list that choices are made by; its teacher's recordings are made here, once, in `out`."""
    if not (run / "texts" / "development-everyday.jsonl").is_file():
        raise ValueError(f"{run / 'texts'} has no development-everyday.jsonl; texts.py --out {run / 'texts'} adds it and changes no other")
    subprocess.run([sys.executable, HERE / "teachers.py", "--texts", run / "texts", "--out", out, "--say", "development", "--speaker",
                    VOICE], check=True)
    return sentences_of(run, "development-everyday", voice=VOICE)


def plain(text: str) -> str:
    """Words alone, between blanks."""
    words = re.findall(r"[^\W_]+", text.lower().replace("'", ""))
    return f" {' '.join(words)} "


def overlaps(held: list[str], trained: list[str]) -> tuple[int, int]:
    """How many of `held` stand whole, word for word, within a sentence of `trained`, and how many hold a whole one of them."""
    lines = {plain(text) for text in trained}
    everything = "\n".join(lines)
    within = sum(plain(text) in everything for text in held)
    holding = 0
    for text in held:
        words = plain(text).split()
        spans = (f" {' '.join(words[i:j])} " for i in range(len(words)) for j in range(i + 1, len(words) + 1))
        holding += any(span in lines for span in spans)
    return within, holding


def note(run: Path, part: str) -> str:
    """What is to be said of a held-out list beside the training's; empty of parts that have none of their own."""
    lists = {"everyday": ("heldout-everyday", "train-en"), "general": ("heldout-general", "train-en"),
             "spanish": ("heldout-spanish", "train-es"), "development": ("development-everyday", "train-en")}
    if part not in lists:
        return ""
    held, trained = ([str(row["text"]) for row in rows(run / "texts" / f"{name}.jsonl")] for name in lists[part])
    within, holding = overlaps(held, trained)
    return f"Of the {len(held)} sentences {within} stand word for word within a sentence of the training, and {holding} hold a whole one."
