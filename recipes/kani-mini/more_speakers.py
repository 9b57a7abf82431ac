#!/usr/bin/env python3
"""more_speakers.py - a table of hundreds more speakers for teachers.py: random variations of the voices in speakers.json.

    more_speakers.py --out many.json                299 that differ in speed and pitch
    more_speakers.py --tinted --out tinted.json     671 that differ in their spectrum as well

From few voices a language model learns those voices and not how a vector becomes one.  From a handful of sources that are
played faster or slower it learns five spectra and a ratio; so most of the tinted have a filter of their own, and English voices of
espeak-ng are among them.  None is near a held-out speaker: another voice, or another speed or pitch than his.
The same tables each time.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from sound import TINT_HZ  # noqa: E402

HERE = Path(__file__).resolve().parent
Entry = dict[str, Any]  # of speakers.json
Licences = dict[tuple[str, str], str]
SEED = 20261130
RATIO = (0.74, 1.42)  # how much faster, with pitch and formants
# Name, engine, voice, how many, mean pitch in Hz if the voice obeys it.
ENGLISH = (
    ("rms", "flite", "rms", 30, None),
    ("slt", "flite", "slt", 60, (120, 260)),
    ("awb", "flite", "awb", 60, (85, 240)),
    ("kal", "flite", "kal16", 60, (70, 200)),
    ("hts", "festival", "cmu_us_slt_arctic_hts", 30, None),
)
SPANISH = tuple(f"{voice}+{kind}" for voice in ("es", "es-419")
                for kind in ("m1", "m2", "m3", "m4", "m5", "m6", "m8", "f1", "f2", "f3", "f4"))
SPANISH_COUNT = 60
# What the tinted are made of.  The held-out English voices of espeak-ng are en-us and en-gb-scotland+f3.
TINTED = (
    ("rms", "flite", "rms", 36, None),
    ("slt", "flite", "slt", 130, (110, 270)),
    ("awb", "flite", "awb", 130, (75, 250)),
    ("kal", "flite", "kal16", 130, (65, 220)),
    ("hts", "festival", "cmu_us_slt_arctic_hts", 44, None),
)
TINTED_ESPEAK = tuple(f"{voice}+{kind}" for voice in ("en-gb", "en-gb-x-rp", "en-029")
                      for kind in ("m1", "m2", "m4", "m5", "m6", "f1", "f2", "f4"))
TINTED_ESPEAK_COUNT, TINTED_SPANISH_COUNT = 120, 80
TINT_DB, MOST_TINT_DB = 5.0, 12.0  # deviation of a band's gain, and its bound
PLAIN = 0.15  # this share of them has no filter: voices are not known by one
NEAR_RATIO, NEAR_PITCH = 0.06, 0.12  # as logarithms


def near(variation: dict[str, Any], other: dict[str, Any]) -> bool:
    """Of one voice: could the two be taken for one speaker?  A pitch that is not set may be any."""
    ratio: float = abs(math.log(other.get("ratio", 1) / variation.get("ratio", 1)))
    pitches = "pitch" in variation and "pitch" in other
    pitch = abs(math.log(other["pitch"] / variation["pitch"])) if pitches else 0.0
    return ratio < NEAR_RATIO and pitch < NEAR_PITCH


def between(draw: random.Random, low: float, high: float) -> float:
    return math.exp(draw.uniform(math.log(low), math.log(high)))


def varied(draw: random.Random, kinds: tuple[Any, ...], held_out: list[Entry], licences: Licences) -> list[Entry]:
    """English voices of `kinds` with a speed and a pitch each; no two alike."""
    table, names = [], set()
    for base, engine, voice, count, pitch in kinds:
        held = [one["variation"] for one in held_out if one["voice"] == voice]
        made = 0
        while made < count:
            variation: dict[str, Any] = {"ratio": round(between(draw, *RATIO), 2)}
            name = f"{base}-v{round(variation['ratio'] * 100)}"
            if pitch:
                variation["pitch"] = round(between(draw, *pitch))
                name += f"-{variation['pitch']}"
            if name in names or any(near(variation, one) for one in held):
                continue
            names.add(name)
            made += 1
            table.append({"name": name, "language": "en", "engine": engine, "voice": voice, "variation": variation, "role": "encoder",
                          "licence": licences[engine, voice]})
    return table


def of_espeak(draw: random.Random, language: str, voices: tuple[str, ...], count: int, licence: str) -> list[Entry]:
    table: dict[str, Entry] = {}
    for number in range(count):
        voice = voices[number % len(voices)]
        pitch = draw.randrange(20, 81, 5)  # on espeak-ng's own scale
        ratio = round(draw.uniform(0.85, 1.18), 2)
        name = f"{voice.replace('+', '-')}-v{round(ratio * 100)}-{pitch}"
        table.setdefault(name, {"name": name, "language": language, "engine": "espeak", "voice": voice,
                                "variation": {"ratio": ratio, "pitch": pitch}, "role": "encoder", "licence": licence})
    return list(table.values())


def tinted(draw: random.Random, entry: Entry, number: int) -> Entry:
    variation = dict(entry["variation"])
    if draw.random() >= PLAIN:
        variation["tint"] = [round(max(-MOST_TINT_DB, min(MOST_TINT_DB, draw.gauss(0, TINT_DB))), 1) for _ in TINT_HZ]
    base = entry["name"].partition("-v")[0]
    return {**entry, "name": f"{base}-t{number:03}", "variation": variation}


def make_table(known: list[Entry], with_tint: bool) -> list[Entry]:
    draw = random.Random(SEED + with_tint)
    licences = {(one["engine"], one["voice"]): one["licence"] for one in known}
    held_out = [one for one in known if one["role"] == "held-out"]
    licence = next(licence for (engine, _), licence in licences.items() if engine == "espeak")
    if not with_tint:
        return varied(draw, ENGLISH, held_out, licences) + of_espeak(draw, "es", SPANISH, SPANISH_COUNT, licence)
    plain = (varied(draw, TINTED, held_out, licences) + of_espeak(draw, "en", TINTED_ESPEAK, TINTED_ESPEAK_COUNT, licence)
             + of_espeak(draw, "es", SPANISH, TINTED_SPANISH_COUNT, licence))
    return [tinted(draw, entry, number) for number, entry in enumerate(plain)]


def main() -> int:
    parser = argparse.ArgumentParser(description="a table of more speakers")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--tinted", action="store_true", help="those that differ in their spectrum as well")
    options = parser.parse_args()
    table = make_table(json.loads((HERE / "speakers.json").read_text(encoding="utf-8")), options.tinted)
    options.out.write_text("[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in table) + "\n]\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
