#!/usr/bin/env python3
"""more_speakers.py - a table of some 300 more speakers for teachers.py: random variations of the voices in speakers.json.

    more_speakers.py --out many.json

From few voices a language model learns those voices and not how a vector becomes one.  None of these is near a held-out
speaker: another voice, or another speed or pitch than his.  The same table each time.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
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
NEAR_RATIO, NEAR_PITCH = 0.06, 0.12  # as logarithms


def near(variation: dict[str, float], other: dict[str, float]) -> bool:
    """Of one voice: could the two be taken for one speaker?  A pitch that is not set may be any."""
    ratio = abs(math.log(other.get("ratio", 1) / variation.get("ratio", 1)))
    pitches = "pitch" in variation and "pitch" in other
    pitch = abs(math.log(other["pitch"] / variation["pitch"])) if pitches else 0.0
    return ratio < NEAR_RATIO and pitch < NEAR_PITCH


def english(draw: random.Random, held_out: list[dict], licences: dict[tuple[str, str], str]) -> list[dict]:  # type: ignore[type-arg]
    def between(low: float, high: float) -> float:
        return math.exp(draw.uniform(math.log(low), math.log(high)))

    table, names = [], set()
    for base, engine, voice, count, pitch in ENGLISH:
        held = [one["variation"] for one in held_out if one["voice"] == voice]
        made = 0
        while made < count:
            variation: dict[str, float] = {"ratio": round(between(*RATIO), 2)}
            name = f"{base}-v{round(variation['ratio'] * 100)}"
            if pitch:
                variation["pitch"] = round(between(*pitch))
                name += f"-{variation['pitch']}"
            if name in names or any(near(variation, one) for one in held):
                continue
            names.add(name)
            made += 1
            table.append({"name": name, "language": "en", "engine": engine, "voice": voice, "variation": variation, "role": "encoder",
                          "licence": licences[engine, voice]})
    return table


def spanish(draw: random.Random, licence: str) -> list[dict]:  # type: ignore[type-arg]
    table: dict[str, dict] = {}  # type: ignore[type-arg]
    for number in range(SPANISH_COUNT):
        voice = SPANISH[number % len(SPANISH)]
        pitch = draw.randrange(20, 81, 5)  # on espeak-ng's own scale
        ratio = round(draw.uniform(0.85, 1.18), 2)
        name = f"{voice.replace('+', '-')}-v{round(ratio * 100)}-{pitch}"
        table.setdefault(name, {"name": name, "language": "es", "engine": "espeak", "voice": voice,
                                "variation": {"ratio": ratio, "pitch": pitch}, "role": "encoder", "licence": licence})
    return list(table.values())


def make_table(known: list[dict]) -> list[dict]:  # type: ignore[type-arg]
    draw = random.Random(SEED)
    licences = {(one["engine"], one["voice"]): one["licence"] for one in known}
    held_out = [one for one in known if one["role"] == "held-out"]
    of_espeak = next(licence for (engine, _), licence in licences.items() if engine == "espeak")
    return english(draw, held_out, licences) + spanish(draw, of_espeak)


def main() -> int:
    parser = argparse.ArgumentParser(description="a table of more speakers")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    options = parser.parse_args()
    table = make_table(json.loads((HERE / "speakers.json").read_text(encoding="utf-8")))
    options.out.write_text("[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in table) + "\n]\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
