#!/usr/bin/env python3
"""read_prepared.py - what upstream's prepare_dataset.py made of our set, by our own rules.  Started by run.

usage: read_prepared.py PREPARED ROWS

ROWS is a JSON list of the set's rows, each with the prompt that kani-tool makes of its text.
"""

from __future__ import annotations

import json
import pathlib
import sys

import datasets
from report import Report

END_OF_SPEECH, END_OF_AI, FIRST_CODE, CODEBOOK = 64402, 64406, 64410, 4032


def sequence(row: dict) -> list[int]:
    """The ids of a clip as upstream has them: a frame that repeats the one before is left out."""
    frames = list(zip(*(row[f"nano_layer_{k}"] for k in (1, 2, 3, 4)), strict=True))
    kept = [frame for i, frame in enumerate(frames) if i == 0 or frame != frames[i - 1]]
    codes = [FIRST_CODE + CODEBOOK * k + code for frame in kept for k, code in enumerate(frame)]
    return [*row["prompt"], *codes, END_OF_SPEECH, END_OF_AI]


def main() -> None:
    rows = json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    report = Report(f"upstream's prepare_dataset.py with datasets {datasets.__version__}")
    got = datasets.load_from_disk(sys.argv[1])
    report.check(f"{len(rows)} rows", len(got) == len(rows), len(got))
    wanted = [sequence(row) for row in rows]
    report.check("ids are our prompt and our codes", got["input_ids"][:] == wanted)
    report.check("labels are the ids", got["labels"][:] == wanted)
    report.check("frames and voices are those of the set",
                 got["encoded_len"][:] == [row["encoded_len"] for row in rows]
                 and got["speaker_emb"][:] == [row["speaker_emb"] for row in rows])
    whole, ids = (sum(row["encoded_len"] * 4 + len(row["prompt"]) + 2 for row in rows), sum(map(len, wanted)))
    print(f"        ({ids} ids; {whole - ids} of repeated frames left out)")
    report.end()


if __name__ == "__main__":
    main()
